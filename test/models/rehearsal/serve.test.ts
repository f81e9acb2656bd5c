import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { MEMORY, serveRehearsal } from './support.ts';

const HELLO = [{ role: 'user' as const, content: 'Say one two three four' }];

describe('the rehearsal as an OpenAI server, to the official SDK', () => {
  it('answers any model name, as what it is', async () => {
    const { client } = await serveRehearsal();
    const completion = await client.chat.completions.create({ model: 'gpt-4o', messages: HELLO });
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'ccc-rehearsal',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'one two three four', refusal: null },
          finish_reason: 'stop',
        },
      ],
    });
    expect(completion.id).toMatch(/^chatcmpl-/);
    const { prompt_tokens, completion_tokens, total_tokens } = completion.usage ?? {};
    expect(total_tokens).toBe((prompt_tokens ?? 0) + (completion_tokens ?? 0));
  });

  it('streams role, words, end and usage, to the byte as OpenAI frames them', async () => {
    const { url } = await serveRehearsal();
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'm',
        messages: HELLO,
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const text = await response.text();
    expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
    const events = text.split('\n\n').slice(0, -2);
    expect(events.every((event) => event.startsWith('data: {') && !event.includes('\n'))).toBe(true);
    const chunks = events.map((event) => JSON.parse(event.slice(6)) as OpenAI.ChatCompletionChunk);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('one two three four');
    expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4 } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('sends no usage in a stream that did not ask for it', async () => {
    const { client } = await serveRehearsal();
    const stream = await client.chat.completions.create({ model: 'm', messages: HELLO, stream: true });
    for await (const chunk of stream) {
      expect(chunk).not.toHaveProperty('usage');
      expect(chunk.choices).toHaveLength(1);
    }
  });

  it.each([
    [{ max_tokens: 2 }, 'one two', 'length'],
    [{ max_completion_tokens: 1 }, 'one', 'length'],
    [{ max_tokens: 4 }, 'one two three four', 'stop'],
    [{ stop: ' three' }, 'one two', 'stop'],
    [{ stop: ['four', ' two'] }, 'one', 'stop'],
    [{ stop: ' three', max_tokens: 1 }, 'one', 'length'],
  ])('obeys %j', async (fields, content, finish_reason) => {
    const { client } = await serveRehearsal();
    const { choices, usage } = await client.chat.completions.create({
      model: 'm',
      messages: HELLO,
      ...fields,
    });
    expect(choices[0]).toMatchObject({ message: { content }, finish_reason });
    expect(usage?.completion_tokens).toBe(content.split(' ').length);
  });

  it('gives n answers, whole and streamed', async () => {
    const { client } = await serveRehearsal();
    const whole = await client.chat.completions.create({ model: 'm', messages: HELLO, n: 3 });
    expect(whole.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    const texts = ['', ''];
    const stream = await client.chat.completions.create({ model: 'm', messages: HELLO, n: 2, stream: true });
    for await (const { choices } of stream) texts[choices[0]?.index ?? 0] += choices[0]?.delta.content ?? '';
    expect(texts).toEqual(['one two three four', 'one two three four']);
  });

  it.each([
    [{ messages: 'hello' }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'wizard', content: 'x' }] }, 'messages.0.role'],
    [{ messages: [{ role: 'user' }] }, 'messages.0.content'],
    [{ messages: HELLO, max_tokens: 0 }, 'max_tokens'],
    [{ messages: HELLO, max_tokens: 1.5 }, 'max_tokens'],
    [{ messages: HELLO, n: 0 }, 'n'],
    [{ messages: HELLO, stop: [1] }, 'stop'],
    [{ messages: HELLO, stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    [{ messages: HELLO, stream: 'yes' }, 'stream'],
    [{ messages: HELLO, stream_options: { include_usage: true } }, 'stream_options'],
    [{ messages: HELLO, response_format: { type: 'yaml' } }, 'response_format.type'],
    [{ messages: HELLO, tool_choice: 'required' }, 'tool_choice'],
  ])('refuses %j with a 400 that names the field', async (body, param) => {
    const { client } = await serveRehearsal();
    const refused = client.post('/chat/completions', { body: { model: 'm', ...body } });
    await expect(refused).rejects.toMatchObject({ status: 400, type: 'invalid_request_error', param });
  });

  it('refuses what is not JSON', async () => {
    const { url } = await serveRehearsal();
    for (const body of ['{', '[]', '']) {
      const response = await fetch(`${url}/chat/completions`, { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
  });

  it('lists itself as the one model', async () => {
    const { client } = await serveRehearsal();
    const models = [];
    for await (const model of client.models.list()) models.push(model.id);
    expect(models).toEqual(['ccc-rehearsal']);
    expect((await client.models.retrieve('ccc-rehearsal')).object).toBe('model');
    await expect(client.models.retrieve('gpt-4o')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('serves the older completions, whole and streamed', async () => {
    const { client } = await serveRehearsal();
    const whole = await client.completions.create({
      model: 'm',
      prompt: ['Say one two', 'Say three'],
      echo: true,
    });
    expect(whole).toMatchObject({
      object: 'text_completion',
      choices: [
        { index: 0, text: 'Say one twoone two', finish_reason: 'stop' },
        { index: 1, text: 'Say threethree', finish_reason: 'stop' },
      ],
    });
    let text = '';
    for await (const chunk of await client.completions.create({
      model: 'm',
      prompt: HELLO[0]?.content ?? '',
      stream: true,
    }))
      text += chunk.choices[0]?.text ?? '';
    expect(text).toBe('one two three four');
    await expect(client.completions.create({ model: 'm', prompt: [1, 2] })).rejects.toMatchObject({
      status: 400,
    });
  });

  it('ends the older completions after 16 tokens when no number is named, as OpenAI does', async () => {
    const { client } = await serveRehearsal();
    const prompt = `${MEMORY}\nWhat is the capital of France and the largest town of Spain?`;
    const { choices, usage } = await client.completions.create({ model: 'm', prompt });
    expect(choices[0]?.finish_reason).toBe('length');
    expect(usage?.completion_tokens).toBe(16);
  });

  it('says that it has no embeddings and no responses, and what to do', async () => {
    const { client } = await serveRehearsal();
    for (const refused of [
      client.embeddings.create({ model: 'm', input: 'x' }),
      client.responses.create({ model: 'm', input: 'x' }),
    ]) {
      await expect(refused).rejects.toMatchObject({ status: 404, code: 'not_offered' });
      await expect(refused).rejects.toThrow(/OPENAI_API_KEY or OPENAI_BASE_URL/);
    }
  });

  it('works with the accumulating helper of the SDK', async () => {
    const { client } = await serveRehearsal();
    const runner = client.chat.completions.stream({
      model: 'm',
      messages: [
        { role: 'system', content: MEMORY },
        { role: 'user', content: 'What is Ana allergic to?' },
      ],
    });
    expect(await runner.finalContent()).toContain('allergic to peanuts');
  });
});
