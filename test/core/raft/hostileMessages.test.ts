import { testHostileMessages } from '../../support/hostileTests.js';

testHostileMessages(200_000, 60_000);
