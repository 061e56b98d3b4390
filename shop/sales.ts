import { counter } from '../saga/step/document.ts';

/** How many units of an item have left the stock for good. Counted apart from the stock, which every order writes. */
export const sales = counter({ name: 'sales', path: 'sales/{item}', counts: 'sold' });
