// SPDX-License-Identifier: MIT
//
// What a customer with a browser meets, from Sage's product through our pages
// and back. Each walk is named as the rule that it guards. `run` starts them.

import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

import {
  feedgate,
  latestResult,
  moveClock,
  newCode,
  newCustomer,
  runWalks,
  trouble,
  walk,
} from './support.mjs';
import { Visit } from './visit.mjs';

const LIFETIME_S = 300; // of a session, as `run` configures it
const narrow = { width: 320, height: 640 };

// ---- to the end ------------------------------------------------------------------

const ways = {
  'in a tab': 'tab',
  "in a frame, with form-action 'self' around it": 'frame',
  "inside the body of Sage's page": 'body',
  "inside a form of Sage's page": 'form',
};
const looks = {
  'without scripts': {},
  'in French': { language: 'fr' },
  'at 320 pixels': narrow,
  'at a zoom of 400 %': { width: 320, height: 256, scale: 4 },
  'with forced colours': { forcedColors: 'active', colorScheme: 'dark' },
};

for (const [where, showing] of Object.entries(ways)) {
  walk(`a customer connects an account ${where}`, async (visit) => {
    await visit.begin();
    await visit.connect(showing);
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await visit.confirm();
    await visit.pick();
  });
}

for (const where of ['in a tab', "inside a form of Sage's page"])
  walk(`a customer renews a connection ${where}`, async (visit) => {
    await visit.begin();
    await visit.renew(ways[where]);
    await visit.enterOwnCode();
    await visit.arrive('renew');
    await visit.button('renew_confirm').click();
    await visit.arriveInSage('Your connection is confirmed');
    await visit.expectResult('success');
  });

for (const where of ['in a tab', "in a frame, with form-action 'self' around it"])
  walk(`a customer cancels ${where}`, async (visit) => {
    await visit.begin();
    await visit.connect(ways[where]);
    await visit.button('cancel').click();
    await visit.arriveInSage('You cancelled at your bank');
    await visit.expectResult('cancelled');
  });

for (const [how, options] of Object.entries(looks)) {
  walk(`a customer who mistypes connects an account ${how}`, async (visit) => {
    await visit.begin(options);
    await visit.connect();
    await visit.enterWrongCodes(1);
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await visit.confirm();
    await visit.pick();
  });
}

walk('the keyboard alone is enough', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.tabTo(visit.codeField());
  await visit.page.keyboard.type('wrong');
  await visit.page.keyboard.press('Enter');
  await visit.arriveWithError('code_wrong', 4);
  await visit.tabTo(visit.view.getByRole('alert').getByRole('link'));
  await visit.page.keyboard.press('Enter'); // leads to the field
  await visit.expectFocus(visit.codeField());
  await visit.page.keyboard.type(await newCode(visit.customer));
  await visit.tabTo(visit.button('code_continue'));
  await visit.page.keyboard.press('Enter');
  await visit.arrive('accounts');
  await visit.tabTo(visit.button('accounts_confirm'));
  await visit.page.keyboard.press('Space');
  await visit.pick();
});

walk('a code may be typed in small letters, with spaces', async (visit) => {
  await visit.begin();
  await visit.connect();
  const code = await newCode(visit.customer);
  await visit.enterCode(` ${code.toLowerCase().replace('-', '  ')} `);
  await visit.arrive('accounts');
});

walk('150 accounts are all shown, and all reach Sage', async (visit) => {
  await visit.begin(narrow);
  visit.customer = await newCustomer(150);
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  for (const { accountName } of visit.customer.accounts)
    assert.equal(await visit.view.getByText(accountName, { exact: true }).count(), 1, accountName);
  await visit.confirm();
  await visit.pick();
  assert.equal((await latestResult()).accounts.length, 150);
});

// ---- other ends -------------------------------------------------------------------

walk('a customer cancels after seeing the accounts', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  await visit.button('cancel').click();
  await visit.arriveInSage('You cancelled at your bank');
  await visit.expectResult('cancelled');
});

walk('a customer cancels a renewal', async (visit) => {
  await visit.begin();
  await visit.renew();
  await visit.enterOwnCode();
  await visit.arrive('renew');
  await visit.button('cancel').click();
  await visit.arriveInSage('You cancelled at your bank');
  await visit.expectResult('cancelled');
});

walk('five wrong codes end the journey', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterWrongCodes(5);
  await visit.arrive('codesExhausted');
  await visit.goBackToSage();
  await visit.arriveInSage("Your bank couldn't connect");
  await visit.expectResult('error');
});

walk('an empty code costs no try', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterCode('');
  await visit.arriveWithError('code_empty');
  await visit.enterWrongCodes(4);
  await visit.enterOwnCode();
  await visit.arrive('accounts');
});

walk('a connection is renewed by its owner only', async (visit) => {
  await visit.begin();
  const owner = await newCustomer();
  await visit.renew('tab', owner.accounts[0]);
  await visit.enterOwnCode();
  await visit.arrive('accountOfAnother');
  await visit.goBackToSage();
  await visit.arriveInSage("Your bank couldn't connect");
  await visit.expectResult('error');
});

// ---- reload, Back and double clicks --------------------------------------------------

walk('each page can be reloaded', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.page.reload();
  await visit.arrive('code');
  await visit.enterWrongCodes(1);
  await visit.page.reload(); // sends the wrong code again, which counts
  await visit.arriveWithError('code_wrong', 3);
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  await visit.page.reload(); // sends the used code again
  await visit.arrive('accounts');
  await visit.confirm();
  await visit.pick();
});

walk('Back from the accounts, the same code leads on again', async (visit) => {
  await visit.begin();
  await visit.connect();
  const code = await newCode(visit.customer);
  await visit.enterCode(code);
  await visit.arrive('accounts');
  await visit.page.goBack();
  await visit.arrive('code');
  await visit.enterCode(code);
  await visit.arrive('accounts');
  await visit.confirm();
  await visit.pick();
});

walk('Back and Forward again, the accounts can be confirmed', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  await visit.page.goBack();
  await visit.arrive('code');
  await visit.pageAsksWhetherToSendAgain(visit.page.goForward());
  await visit.arrive('accounts');
  await visit.confirm();
  await visit.pick();
});

walk('Back from Sage after the end, the page says that it is done', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  await visit.confirm();
  await visit.arriveInSage('Choose an account');
  await visit.pageAsksWhetherToSendAgain(visit.page.goBack());
  await visit.arrive('done');
  await visit.goBackToSage();
  await visit.pick();
});

walk('a link of Sage that was used already leads nowhere', async (visit) => {
  await visit.begin();
  const opened = visit.page.waitForRequest((request) => request.url().includes('authorisation_id='));
  await visit.connect();
  await visit.page.goto((await opened).url());
  await visit.arrive('linkUsed');
});

const buttons = {
  Continue: async (visit) => {
    await visit.codeField().fill(await newCode(visit.customer));
    return 'code_continue';
  },
  Confirm: async (visit) => {
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    return 'accounts_confirm';
  },
  'Cancel (code)': async () => 'cancel',
  'Cancel (accounts)': async (visit) => {
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    return 'cancel';
  },
};

async function finish(visit, name) {
  if (name === 'cancel') {
    await visit.arriveInSage('You cancelled at your bank');
    await visit.expectResult('cancelled');
    return;
  }
  if (name === 'code_continue') {
    await visit.arrive('accounts');
    await visit.confirm();
  }
  await visit.pick();
}

for (const [label, prepare] of Object.entries(buttons)) {
  walk(`a double click on ${label} does no harm`, async (visit) => {
    await visit.begin();
    await visit.connect();
    const name = await prepare(visit);
    const { x, y } = await visit.middleOf(visit.button(name));
    await visit.page.mouse.dblclick(x, y);
    await finish(visit, name);
  });

  walk(`${label} is sent twice, and the second answer leads on`, async (visit) => {
    await visit.begin();
    await visit.connect();
    const name = await prepare(visit);
    const before = visit.posts;
    await visit.pressTwice(visit.button(name));
    await finish(visit, name);
    assert.ok(visit.posts >= before + 2, 'the form was sent twice');
  });
}

// ---- too late -----------------------------------------------------------------------

walk('after its life a code page says so, and leads back', async (visit) => {
  await visit.begin();
  await visit.connect();
  moveClock(LIFETIME_S + 1);
  await visit.page.reload();
  await visit.arrive('expired');
  await visit.goBackToSage();
  await visit.arriveInSage('Waiting for your bank');
});

walk('after its life a code is not taken', async (visit) => {
  await visit.begin();
  await visit.connect();
  moveClock(LIFETIME_S + 1);
  await visit.enterOwnCode();
  await visit.arrive('expired');
});

walk('after its life a confirmation is not taken', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  moveClock(LIFETIME_S + 1);
  await visit.confirm();
  await visit.arrive('expired');
  await visit.expectResult('pending', 0);
});

walk('a window that was left open is told to Sage as cancelled', async (visit) => {
  await visit.begin();
  await visit.connect();
  moveClock(LIFETIME_S - 30);
  await visit.expectResultSoon('cancelled'); // from `feedgate deliver`
  await visit.page.reload();
  await visit.arrive('cancelled');
  await visit.goBackToSage();
  await visit.arriveInSage('You cancelled at your bank');
});

// ---- trouble at Sage --------------------------------------------------------------------

walk('when Sage fails, the customer is sent back and the result comes later', async (visit) => {
  await visit.begin();
  await visit.connect();
  await visit.enterOwnCode();
  await visit.arrive('accounts');
  await trouble({ kind: 'status', target: 'patch', status: '500', times: '1' });
  await visit.confirm();
  await visit.arriveInSage('Waiting for your bank');
  await visit.arriveInSage('Choose an account'); // it looks again by itself
  await visit.expectResult('success', 2);
});

// ---- for everybody ---------------------------------------------------------------------

// How to come to each page.
const places = {
  'the page inside of Sage': (visit) => visit.connect('body'),
  'the pages on the way to the end': async (visit) => {
    await visit.connect();
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await visit.confirm();
    await visit.pick();
  },
  'the page after the confirmation': async (visit) => {
    await visit.connect();
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await visit.confirm();
    await visit.arriveInSage('Choose an account');
    await visit.pageAsksWhetherToSendAgain(visit.page.goBack());
    await visit.arrive('done');
  },
  'a page without accounts': async (visit) => {
    await visit.connect();
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await feedgate('accounts', 'forget', '--customer', visit.customer.id);
    await visit.page.reload();
    await visit.arrive('accounts', 'accounts none');
  },
  'the page of a renewal': async (visit) => {
    await visit.renew('form');
    await visit.enterOwnCode();
    await visit.arrive('renew');
  },
  'the page after a cancellation': async (visit) => {
    await visit.connect();
    await visit.button('cancel').click();
    await visit.arriveInSage('You cancelled at your bank');
    await visit.page.goBack();
    await visit.arrive('cancelled');
  },
  'the pages after wrong codes': async (visit) => {
    await visit.connect();
    await visit.enterCode('');
    await visit.arriveWithError('code_empty');
    await visit.enterWrongCodes(5);
    await visit.arrive('codesExhausted');
  },
  "the page about another's account": async (visit) => {
    await visit.renew('tab', (await newCustomer()).accounts[0]);
    await visit.enterOwnCode();
    await visit.arrive('accountOfAnother');
  },
  'the page for a customer who is gone': async (visit) => {
    await visit.connect();
    await visit.enterOwnCode();
    await visit.arrive('accounts');
    await feedgate('accounts', 'forget', '--customer', visit.customer.id);
    await visit.confirm();
    await visit.arrive('customerGone');
  },
  'the page after its life': async (visit) => {
    await visit.connect();
    moveClock(LIFETIME_S + 1);
    await visit.page.reload();
    await visit.arrive('expired');
  },
  'the page of a link that leads nowhere': async (visit) => {
    await visit.connect();
    const url = visit.page.url();
    await visit.page.goto(url.replace(/ticket=./, (start) => (start.endsWith('0') ? 'ticket=1' : 'ticket=0')));
    await visit.arrive('linkUsed');
  },
};
const audiences = {
  'in English': { audits: true },
  'in French at 320 pixels': { audits: true, language: 'fr', ...narrow },
};

for (const [who, options] of Object.entries(audiences))
  for (const [place, go] of Object.entries(places))
    walk(`axe finds nothing serious on ${place}, ${who}`, async (visit) => {
      await visit.begin(options);
      await go(visit);
    });

// ---- all of them -----------------------------------------------------------------------

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--disable-gpu'], // there is none, and to play one costs time
  chromiumSandbox: process.getuid() !== 0, // it doesn't start as root otherwise
});
const allWell = await runWalks(process.argv[2] ?? '', (name) => new Visit(browser, name));
await browser.close();
process.exitCode = allWell ? 0 : 1;
