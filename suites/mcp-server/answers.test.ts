import { describe, expect, it } from 'vitest';
import { DoesNotFit } from '../../harness/core/errors.ts';
import { atEndpoint, knownCalls, needTool, podOfAnswer } from './answers.ts';

const session = { tools: ['search'], calls: [] };

describe('a server of somebody else', () => {
  it('may have another path', () => {
    const error = 'HTTP 404: Streamable HTTP error: Error POSTing to endpoint: no such page';
    expect(() => atEndpoint({ ...session, error })).toThrow(DoesNotFit);
    expect(() => atEndpoint({ ...session, error: 'HTTP 501: Not Implemented' })).toThrow(DoesNotFit);
    expect(atEndpoint({ ...session, error: 'ECONNREFUSED 10.96.4.4:8080' }).error).toContain('ECONNREFUSED');
    expect(atEndpoint(session)).toBe(session);
  });

  it('may have other tools', () => {
    const calls = [{ tool: 'search' }, { tool: 'echo_message' }];
    expect(knownCalls(session, calls)).toEqual([{ tool: 'search' }]);
    expect(() => needTool(session, 'echo_message')).toThrow('the server has no tool echo_message');
    expect(() => needTool(session, 'search')).not.toThrow();
  });

  it('may not know its pod', () => {
    expect(podOfAnswer('{"pod":"web-1"}')).toBe('web-1');
    expect(() => podOfAnswer('hello')).toThrow(DoesNotFit);
  });
});
