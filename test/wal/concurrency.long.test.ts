import { test } from '@jest/globals';
import { announceSeed } from '../support/seededRandom.js';
import { manyOrders } from './support/anyOrder.js';

/** As in `concurrency.test.ts`. */
test('calls in any order on a disk that answers in any order', async () => {
  await manyOrders(announceSeed('concurrency.long'), 3000);
}, 600_000);
