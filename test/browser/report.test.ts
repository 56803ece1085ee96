import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { useBrowser } from '../support/browser.js';
import { checkedOut, fourHundred, hostile, million, pageOf } from '../support/report.js';
import { inDatabase } from '../support/verify.js';

const open = useBrowser();

let folder: string;
const file = (name: string): string => path.join(folder, `${name}.html`);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'seqctl-browser-'));
  const pages = {
    empty: '',
    fourHundred,
    hostile,
    checkedOut,
    summedUp: million('select generate_series(1, 19999, 2)', 20_000),
    million: million('select generate_series(1, 1000000)', 1_000_000),
  };
  for (const [name, setup] of Object.entries(pages)) {
    await inDatabase(setup, async ({ url }) => writeFile(file(name), await pageOf(url)));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const names = ['empty', 'fourHundred', 'hostile', 'checkedOut', 'summedUp', 'million'];

/** A4 between the margins of the page, at 96 dots an inch. */
const a4Width = Math.round(((210 - 30) / 25.4) * 96);

test.each(
  names.flatMap((name) => (['light', 'dark'] as const).map((colorScheme) => ({ name, colorScheme }))),
)('$name, $colorScheme: no error, no request, nothing that is hard to use', async ({ name, colorScheme }) => {
  const { page, trouble } = await open(file(name), { colorScheme, viewport: { width: 1200, height: 900 } });
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
    colorScheme === 'dark' ? 'rgb(20, 24, 28)' : 'rgb(255, 255, 255)',
  );
  expect(await findBarriers(page)).toEqual([]);
  expect(trouble).toEqual([]);
});

test('a missing number says why when it is pointed at, and is quiet again', async () => {
  const { page, trouble } = await open(file('fourHundred'), { viewport: { width: 1200, height: 900 } });
  const note = page.locator('#note');
  expect(await note.isVisible()).toBe(false);
  await page.locator('.map rect[aria-label^="Numbers 42 to 44"]').first().hover();
  expect(await note.innerText()).toBe(
    'Numbers 42 to 44 are missing: void, printer jam; the sheets are in the file',
  );
  // It can be read while the pointer is on it.
  await note.hover();
  expect(await note.isVisible()).toBe(true);
  await page.locator('h1').hover();
  expect(await note.isVisible()).toBe(false);
  await page.locator('.map rect[aria-label^="Number 400"]').hover();
  expect(await note.innerText()).toContain('Number 400 is missing: unexplained; after 399');
  await page.keyboard.press('Escape');
  expect(await note.isVisible()).toBe(false);
  expect(trouble).toEqual([]);
});

test('the same by keyboard: one tab stop a map, arrow keys within', async () => {
  const { page, trouble } = await open(file('fourHundred'), { viewport: { width: 1200, height: 900 } });
  const note = page.locator('#note');
  expect(await page.locator('.map rect[tabindex="0"]').count()).toBe(1);
  const label = async (): Promise<string> =>
    (await page.evaluate<string | null>(`document.activeElement.getAttribute('aria-label')`)) ?? '';
  for (let presses = 0; presses < 30 && !(await label()).startsWith('Number 17 '); presses += 1) {
    await page.keyboard.press('Tab');
  }
  expect(await note.innerText()).toContain('Number 17 is missing: unexplained');
  await page.keyboard.press('ArrowRight');
  expect(await note.innerText()).toContain('Numbers 42 to 44');
  await page.keyboard.press('End');
  expect(await note.innerText()).toContain('Number 400');
  await page.keyboard.press('ArrowRight');
  expect(await note.innerText()).toContain('Number 400');
  await page.keyboard.press('Home');
  expect(await label()).toContain('Number 17');
  await page.keyboard.press('Escape');
  expect(await note.isVisible()).toBe(false);
  await page.keyboard.press('ArrowDown');
  expect(await note.innerText()).toContain('Numbers 42 to 44');
  await page.keyboard.press('Tab');
  expect(await note.isVisible()).toBe(false);
  expect(trouble).toEqual([]);
});

test('on a phone: nothing is wider than the screen, and a tap says why', async () => {
  const { page, trouble } = await open(file('fourHundred'), {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  const square = page.locator('.map rect[aria-label^="Number 300"]');
  await square.scrollIntoViewIfNeeded();
  await square.tap();
  const note = page.locator('#note');
  expect(await note.innerText()).toContain('Number 300 is missing: unexplained');
  const box = await note.boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  await page.locator('h4').first().tap();
  expect(await note.isVisible()).toBe(false);
  expect(trouble).toEqual([]);
});

test('a number that is checked out says for whom and until when; a head is copied as one word', async () => {
  const { page, trouble } = await open(file('checkedOut'), { viewport: { width: 1200, height: 900 } });
  await page.locator('.map rect.late').hover();
  expect(await page.locator('#note').innerText()).toMatch(
    /^Number 6 is missing: expired checkout, for order-6, until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
  );
  await page.locator('.map rect.out').first().hover();
  expect(await page.locator('#note').innerText()).toMatch(
    /^Number 4 is missing: checked out, for order-4, until /,
  );
  // Seen in groups of eight digits, in two lines.
  const lines = `new Set([...document.querySelectorAll('.hash span')].map((one) => one.getBoundingClientRect().top)).size`;
  expect(await page.evaluate(lines)).toBe(2);
  const copied = `getSelection().selectAllChildren(document.querySelector('.hash')), getSelection().toString()`;
  expect(await page.evaluate(copied)).toMatch(/^[0-9a-f]{64}$/);
  expect(trouble).toEqual([]);
});

test('gaps that are summed up say so', async () => {
  const { page } = await open(file('summedUp'));
  await page.locator('.map rect').nth(5).hover();
  expect(await page.locator('#note').innerText()).toMatch(
    /^Numbers \d+ to \d+: 25 missing, no reason; 25 gaps, summed up here$/,
  );
});

test('nothing from the database is an element, an attribute, or runs', async () => {
  const { page, trouble } = await open(file('hostile'));
  expect(await page.locator('img, i, u, t, b[onclick], script:not(:last-child)').count()).toBe(0);
  const handlers = `[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on'))`;
  expect(await page.evaluate(handlers)).toEqual([]);
  await page.locator('.map rect.known').hover();
  expect(await page.locator('#note').innerText()).toContain(
    '</title></style></script><script>alert(1)</script>',
  );
  expect(await page.locator('#note *:not(p)').count()).toBe(0);
  expect(await page.locator('h2').nth(1).innerText()).toContain(`<b onclick="alert(3)">&lt;'`);
  expect(trouble).toEqual([]);
});

test('the policy of the page lets no other script run', async () => {
  const { page, trouble } = await open(file('fourHundred'));
  await page.evaluate(`
    const script = document.createElement('script');
    script.textContent = 'document.title = "run"';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';
    document.body.append(image);`);
  await expect.poll(() => trouble.filter((one) => one.includes('Content Security Policy')).length).toBe(2);
  expect(await page.title()).not.toBe('run');
});

test.each(names)('%s on paper: A4, light, nothing cut, and the lists that hover shows', async (name) => {
  const { page } = await open(file(name), {
    colorScheme: 'dark',
    viewport: { width: a4Width, height: 1000 },
  });
  await page.emulateMedia({ media: 'print' });
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
  const cut = `[...document.querySelectorAll('body *')]
    .filter((one) => !one.closest('.unseen, svg') && one.getBoundingClientRect().right > ${a4Width + 1})
    .map((one) => one.tagName + ' ' + one.className + ': ' + one.textContent.slice(0, 80))`;
  expect(await page.evaluate(cut)).toEqual([]);
  expect(await page.locator('#note').isVisible()).toBe(false);
  // What each square says is in the list below its map.
  const unlisted = `[...document.querySelectorAll('.map rect[aria-label]')]
    .map((square) => [square.getAttribute('aria-label'), square.closest('.counter').innerText])
    .filter(([label, text]) => !text.includes(/[0-9]+( to [0-9]+)?/.exec(label)[0]))
    .map(([label]) => label)`;
  expect(await page.evaluate(unlisted)).toEqual([]);

  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  expect(new Set(pdf.match(/\/MediaBox \[[^\]]*\]/g))).toEqual(
    new Set(['/MediaBox [0 0 594.95996 841.91998]']),
  );
  const pages = pdf.match(/\/Type \/Page\b(?!s)/g)?.length ?? 0;
  expect(pages).toBeGreaterThanOrEqual(1);
  expect(pages).toBeLessThanOrEqual(
    { empty: 2, million: 3, fourHundred: 5, checkedOut: 5, summedUp: 6, hostile: 5 }[name] ?? 0,
  );
});

/** What a well-known set of rules finds: contrast, names, headings, tables, landmarks … */
async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`),
  );
}
