/**
 * A conversation through the official OpenAI SDK. Only the base URL is CCC's: what is said is remembered in a session,
 * and a supervised answer is an ordinary chat completion.
 *
 *   npm start                             (in one terminal)
 *   npx tsx examples/openai-sdk.ts        (in another)
 */
import OpenAI from 'openai';

const server = process.env['CCC_URL'] ?? 'http://127.0.0.1:5111';
// One that the upstream has; the rehearsal answers to any name.
const model = process.env['OPENAI_MODEL'] ?? 'gpt-4o-mini';

// A session is one memory. Its token, used as the API key, names it in every request of the SDK.
const created = await fetch(`${server}/api/v2/sessions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{}',
});
if (!created.ok) throw new Error(`No session: ${await created.text()}`);
const session = (await created.json()) as { session_id: string; token: string };
const client = new OpenAI({ baseURL: `${server}/v2`, apiKey: session.token });

// `covenant` is CCC's own field; the SDK passes on what it does not know.
const told = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: 'My sister Ana is allergic to peanuts.' }],
  ...{ covenant: { mode: 'direct' } },
});
console.log(`direct:  ${told.choices[0]?.message.content ?? ''}`);

// Another conversation of the same session: the fact comes from memory. Beatrice reviews before the answer is given.
const stream = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: 'What should I not cook for Ana?' }],
  stream: true,
});
let answer = '';
for await (const chunk of stream) {
  const delta = chunk.choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined;
  // The agents' turns arrive as reasoning while they work; `content` is the approved answer and nothing else.
  if (delta?.reasoning_content) process.stderr.write(delta.reasoning_content);
  answer += delta?.content ?? '';
}
console.log(`\ncycle:   ${answer}`);
