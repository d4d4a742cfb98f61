import { newMessage, type Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { None, StateType } from '../../../src/core/types.js';
import { tellStories } from './violations.js';

function message(type: MessageType, term: number, reject = false): Message {
  return { ...newMessage(type, 3), from: 2, term, reject };
}

const { MsgPreVote, MsgPreVoteResp, MsgVote } = MessageType;

tellStories('pre-vote', ['I16'], [
  { breaks: null, why: 'asking and answering change nothing', happens: (c) => { c.role(2, StateType.PreCandidate, 2, 1); c.step(3, message(MsgPreVote, 3)); } },
  { breaks: null, why: 'a refusal tells of a higher term', happens: (c) => c.step(2, message(MsgPreVoteResp, 5, true), () => c.role(2, StateType.Follower, 5, None)) },
  { breaks: null, why: 'a pre-vote is won and becomes an election', happens: (c) => { c.role(2, StateType.PreCandidate, 2, 1); c.step(2, message(MsgPreVoteResp, 3), () => c.role(2, StateType.Candidate, 3, 2)); } },
  { breaks: null, why: 'a real vote may change the term', happens: (c) => c.step(3, message(MsgVote, 3), () => c.role(3, StateType.Follower, 3, None)) },
  { breaks: 'I16', why: 'a pre-candidate enters the term that it asks about (M15)', happens: (c) => c.role(2, StateType.PreCandidate, 3, 1) },
  { breaks: 'I16', why: 'who is asked enters the term', happens: (c) => c.step(3, message(MsgPreVote, 3), () => c.role(3, StateType.Follower, 3, None)) },
  { breaks: 'I16', why: 'who is asked notes a vote', happens: (c) => c.step(3, message(MsgPreVote, 3), () => { c.at(3).record.vote = 2; }) },
  { breaks: 'I16', why: 'a refusal of the own term changes the term', happens: (c) => c.step(2, message(MsgPreVoteResp, 2, true), () => c.role(2, StateType.Follower, 3, None)) },
  { breaks: 'I16', why: 'a grant leads two terms further', happens: (c) => c.step(2, message(MsgPreVoteResp, 3), () => c.role(2, StateType.Candidate, 4, 2)) },
]);
