// SPDX-License-Identifier: MIT
//
// What the walks stand on: the services that `run` has started, their clock,
// the provider's side (accounts and codes), and a small runner.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const sage = process.env.WALK_SAGE; // the stand-in's origin
export const connector = process.env.WALK_CONNECTOR; // ours, another site for the browser
const scratch = process.env.WALK_SCRATCH;
const source = new URL('../../', import.meta.url);

// ---- texts ------------------------------------------------------------------

const catalogues = {};
// English titles that stand in common/base/refusal.h.
const refusals = { message_session_not_usable_title: "This link can't be used" };

// The text of the pages' catalogue, with what stands in double braces filled in.
export function text(language, name, values = {}) {
  catalogues[language] ??= JSON.parse(readFileSync(new URL(`pages/${language}.json`, source)));
  const found = catalogues[language][name] ?? refusals[name];
  assert.ok(found, `the catalogue ${language} has no ${name}`);
  return found.replace(/{{(\w+)}}/g, (_, key) => values[key] ?? 'Example Bank');
}

// ---- requests without a browser ------------------------------------------------

const ANSWER_MS = 20_000;

// On a connection of its own: a POST on one that the server is just closing would be lost.
export function send(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const sending = request(url, { method, headers, agent: false, signal }, async (answer) => {
      try {
        const parts = await answer.toArray();
        resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString() });
      } catch (error) {
        reject(error);
      }
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

// ---- the provider ------------------------------------------------------------

const run = promisify(execFile);
const clock = Object.fromEntries(process.env.WALK_CLOCK.split(' ').map((pair) => pair.split('=')));

// The operator's tool, under the endpoints' clock.
export async function feedgate(...command) {
  const env = { ...process.env, ...clock };
  await run(process.env.WALK_FEEDGATE, command, { timeout: 20_000, env });
}

let customers = 0;

// A customer of the provider's, with accounts whom nobody else has.
export async function newCustomer(accountCount = 2) {
  const id = `customer-${++customers}`;
  const accounts = [];
  for (let i = 1; i <= accountCount; i++)
    accounts.push({
      externalId: `${id}-account-${i}`,
      accountType: i % 2 === 0 ? 'savings' : 'business',
      accountName: `${i % 2 === 0 ? 'Savings' : 'Current'} ${customers}-${i}`,
      bankIdentifier: '000001',
      accountIdentifier: String(customers * 1000 + i).padStart(8, '0'),
      branchIdentifier: 'main',
    });
  const file = join(scratch, `${id}.json`);
  writeFileSync(file, JSON.stringify({ customers: [{ id, accounts }] }));
  await feedgate('accounts', 'import', file);
  return { id, accounts };
}

// As the provider's backend asks for it, to show it in the provider's own product.
export async function newCode(customer) {
  const key = readFileSync(join(scratch, 'code.key'), 'utf8').trim();
  const answer = await send(`${connector}/code`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ customer: customer.id }),
  });
  assert.equal(answer.status, 200, 'POST /code');
  return JSON.parse(answer.body).code;
}

// ---- the stand-in Sage ----------------------------------------------------------

async function ask(path, fields) {
  const form = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: fields && new URLSearchParams(fields).toString(),
  };
  const answer = await send(sage + path, fields ? form : {});
  assert.equal(answer.status, 200, `${path} of the stand-in`);
  return JSON.parse(answer.body);
}

// What Sage was told about the authorisation that was announced last.
export async function latestResult() {
  return (await ask('/sandbox/results')).results[0];
}

// As if the customer had connected this account before; Sage's id of it.
export async function link(account) {
  const resourceId = randomUUID();
  await ask('/sandbox/link', { externalId: account.externalId, resourceId });
  return resourceId;
}

export async function trouble(fields) {
  await ask('/sandbox/fault', fields);
}

// ---- the endpoints' clock ---------------------------------------------------------

let ahead = 0; // seconds

// Only forward: feedgate's time never runs backwards.
export function moveClock(seconds) {
  const file = join(scratch, 'clock');
  ahead += seconds;
  writeFileSync(`${file}.new`, `+${ahead}\n`);
  renameSync(`${file}.new`, file); // none may read half of it
}

// ---- the runner --------------------------------------------------------------------

const walks = [];
const WALK_MS = 60_000;

export function walk(name, go) {
  walks.push({ name, go });
}

function within(milliseconds, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// Runs the walks whose name matches, one after another; each gets what `open` makes.
export async function runWalks(pattern, open) {
  const chosen = walks.filter(({ name }) => name.includes(pattern));
  let failed = chosen.length === 0 ? 1 : 0;
  for (const { name, go } of chosen) {
    const began = Date.now();
    const visit = await open(name);
    try {
      await within(WALK_MS, go(visit));
      await visit.leave();
      console.log(`ok      ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}\n${error.stack}\n${await visit.describe()}`);
    } finally {
      await visit.close();
    }
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0;
}
