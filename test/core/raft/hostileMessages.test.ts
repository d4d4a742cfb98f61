import { testHostileMessages } from '../../support/hostileTests.js';

testHostileMessages(100_000, 60_000);
