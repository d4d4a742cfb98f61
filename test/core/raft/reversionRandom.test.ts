import { testReversions } from '../../support/reversionTests.js';

testReversions(40, 60_000);
