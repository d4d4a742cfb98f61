import { StateType } from '../../../src/core/types.js';
import { tellStories } from './violations.js';

tellStories('election', ['I1', 'I3'], [
  { breaks: null, why: 'another node with a full log leads the next term', happens: (c) => c.elect(2, 3, [3]) },
  { breaks: null, why: 'a leader of a higher term follows one that never committed', happens: (c) => { c.elect(2, 3, [3]); c.elect(3, 4, [1]); } },
  { breaks: 'I1', why: 'two nodes lead term 3', happens: (c) => { c.elect(2, 3, [3]); c.role(3, StateType.Leader, 3, 3); } },
  { breaks: 'I1', why: 'a node leads term 2 once more', happens: (c) => { c.role(1, StateType.Follower, 2, 1); c.role(1, StateType.Leader, 2, 1); } },
  {
    breaks: 'I3',
    why: 'the new leader lacks the committed entry 3',
    happens: (c) => {
      c.at(3).log.entries.pop();
      c.at(3).log.committed = 2;
      c.role(3, StateType.Leader, 3, 3);
    },
  },
  {
    breaks: 'I3',
    why: 'the new leader has an entry of another term where 2/3 is committed',
    happens: (c) => {
      c.at(3).log.entries[1] = { ...c.at(3).log.entries[1]!, term: 1 };
      c.role(3, StateType.Leader, 3, 3);
    },
  },
]);
