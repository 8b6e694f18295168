// Runs an adapter in a worker for the page: { id, method, args } in, { id, value } or { id, error } out.
const { adapter, settings } = Object.fromEntries(new URL(self.location.href).searchParams);
const ready = import(adapter);
let database;

async function call(method, args) {
  if (method !== 'open') return database[method](...args);
  database = await (await ready).open(...args, JSON.parse(settings));
  return undefined;
}

self.onmessage = async ({ data: { id, method, args } }) => {
  try {
    self.postMessage({ id, value: await call(method, args) });
  } catch (error) {
    self.postMessage({ id, error: String(error?.stack ?? error) });
  }
};
