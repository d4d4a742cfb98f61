import { testReversions } from '../../support/reversionTests.js';

testReversions(10_000, 3_600_000);
