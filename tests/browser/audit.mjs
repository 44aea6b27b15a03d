// SPDX-License-Identifier: MIT
//
// axe-core looks at a page; what it finds serious or critical fails the walk,
// the rest is told. Each page once in each look: axe takes its time.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = {
  runOnly: {
    type: 'tag',
    values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  },
  resultTypes: ['violations'],
};

const audited = new Set();

export async function auditPage(frame, where) {
  if (audited.has(where)) return;
  audited.add(where);
  // What the debugger evaluates isn't subject to the page's own policy.
  await frame.evaluate(axe);
  const { violations } = await frame.evaluate((given) => window.axe.run(document, given), options);
  const told = violations.map(
    ({ id, impact, help, nodes }) => `${impact}: ${id} (${help}): ${nodes[0].html}`,
  );
  const grave = told.filter((line) => /^(serious|critical)/.test(line));
  for (const line of told) if (!grave.includes(line)) console.log(`note    ${where}: ${line}`);
  assert.deepEqual(grave, [], `what axe finds on ${where}`);
}
