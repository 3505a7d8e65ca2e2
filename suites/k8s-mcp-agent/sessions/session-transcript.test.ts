import { describe, expect, it } from 'vitest';
import { isMutating, readTranscript, toolOutcome } from './session-transcript.ts';

const answer = '{"jsonrpc":"2.0","id":1,"result":{"ok":true}}';
const question = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

describe('readTranscript', () => {
  it('reads one message from every complete line', () => {
    const failure = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}';
    expect(readTranscript(`${answer}\n${failure}\n{"jsonrpc":"2.0","id":2,`)).toEqual({
      answers: [
        { id: 1, result: { ok: true } },
        { id: null, error: { code: -32_700, message: 'parse error' } },
      ],
      calls: [],
      noise: [],
    });
  });

  it('keeps the type of an id', () => {
    const { answers } = readTranscript('{"jsonrpc":"2.0","id":"1","result":{}}\n');
    expect(answers.map(({ id }) => id)).toEqual(['1']);
  });

  it('distinguishes notifications from answers', () => {
    const { answers, calls } = readTranscript('{"jsonrpc":"2.0","method":"notifications/message"}\n');
    expect({ answers, calls }).toEqual({ answers: [], calls: [{ method: 'notifications/message' }] });
  });

  it.each([
    ['a log line', 'session started'],
    ['a log line that is JSON', '{"level":"INFO","msg":"session started"}'],
    ['an answer of another protocol', '{"id":1,"result":{}}'],
    ['an answer without an id', '{"jsonrpc":"2.0","result":{}}'],
    ['a batch', `[${answer}]`],
  ])('calls %s noise', (_, line) => {
    expect(readTranscript(`${line}\n${answer}\n`)).toMatchObject({ noise: [line], answers: [{ id: 1 }] });
  });

  it('does not mistake the echo of a terminal for an answer', () => {
    const terminal = `${question}\r\n${answer}\r\n`;
    expect(readTranscript(terminal, [question])).toEqual({
      answers: [{ id: 1, result: { ok: true } }],
      calls: [],
      noise: [],
    });
  });

  it('ignores empty lines', () => {
    expect(readTranscript('\n\r\n').noise).toEqual([]);
  });
});

describe('toolOutcome', () => {
  const content = (text: string, isError?: boolean) => ({
    id: 1,
    result: { content: [{ type: 'text', text }], ...(isError === undefined ? {} : { isError }) },
  });

  it.each([
    ['JSON', content('{"device_count":4}'), { value: { device_count: 4 } }],
    ['a failed tool', content('driver not loaded', true), { refused: 'driver not loaded' }],
    [
      'a protocol error',
      { id: 1, error: { code: -32_602, message: 'unknown tool' } },
      { refused: '-32602 unknown tool' },
    ],
    ['text, which the protocol allows', content('map[device_count:4]'), { text: 'map[device_count:4]' }],
    [
      'structured content',
      { id: 1, result: { content: [], structuredContent: { a: 1 } } },
      { value: { a: 1 } },
    ],
    ['no content', { id: 1, result: {} }, { unreadable: 'no content: {}' }],
  ])('reads %s', (_, given, wanted) => {
    expect(toolOutcome(given)).toEqual(wanted);
  });
});

describe('isMutating', () => {
  const inputSchema = { type: 'object' as const };
  it.each([
    ['get_gpu_inventory', undefined, false],
    ['analyze_xid_errors', { readOnlyHint: true }, false],
    ['reset_gpu', undefined, true],
    ['kill-process', { readOnlyHint: true }, true],
    ['get_gpu_reset', { readOnlyHint: false }, true],
    ['list_and_purge', { destructiveHint: true }, true],
  ])('%s with %j: %s', (name, annotations, wanted) => {
    expect(isMutating({ name, inputSchema, ...(annotations && { annotations }) })).toBe(wanted);
  });
});
