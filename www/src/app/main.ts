/** Starts the page: makes its state, wires the rooms to it, and opens the database. */
import { CatalogRefresh } from './catalog-refresh';
import { Connection } from './connection';
import { setUpHeader } from './header';
import { recallState } from './remembered-state';
import { setUpSide } from './side';
import { setUpViews } from './views';
import { Workbench } from './workbench';

const state = recallState();
const connection = new Connection((now) => state.set('connection', now));
const catalog = new CatalogRefresh(connection, state);
const workbench = new Workbench(state, connection, catalog);
setUpViews(state);
setUpHeader(state, connection, workbench);
setUpSide(state, connection, catalog, workbench);
void connection.open();
