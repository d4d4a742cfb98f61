import { testHostileMessages } from '../../support/hostileTests.js';

testHostileMessages(10_000_000, 3_600_000);
