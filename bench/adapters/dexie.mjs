// Dexie, a wrapper of IndexedDB without SQL, in the page: each operation as an application would write it.
import Dexie from 'dexie';
import { COLUMNS } from '../data.mjs';

const toObject = (row) => Object.fromEntries(COLUMNS.map((column, i) => [column, row[i]]));

export async function open(name, { durability }) {
  const db = new Dexie(name, { chromeTransactionDurability: durability });
  db.version(1).stores({ items: 'id' });
  await db.open();
  const { items } = db;
  return {
    create: async () => {},
    load: async (rows) => {
      await items.bulkAdd(rows.map(toObject));
    },
    count: () => items.count(),
    point: async (id) => {
      const found = await items.get(id);
      return COLUMNS.map((column) => found[column]);
    },
    insert: async (row) => {
      await items.add(toObject(row));
    },
    groups: async () => {
      const groups = new Map();
      for (const { user_id, amount } of await items.toArray()) {
        const group = groups.get(user_id) ?? { user_id, n: 0, total: 0 };
        group.n += 1;
        group.total += amount;
        groups.set(user_id, group);
      }
      return [...groups.values()].sort((a, b) => b.total - a.total || (a.user_id < b.user_id ? -1 : 1)).slice(0, 10);
    },
    update: async () => {
      await items
        .filter(({ qty }) => qty < 100)
        .modify((item) => {
          item.amount += 0.25;
        });
    },
    remove: async () => {
      await items.filter(({ qty }) => qty >= 900).delete();
    },
    state: async () => {
      const state = { n: 0, total: 0, qty: 0 };
      await items.each(({ amount, qty }) => {
        state.n += 1;
        state.total += amount;
        state.qty += qty;
      });
      return state;
    },
    close: async () => db.close(),
  };
}
