import type { Page } from 'playwright-core';

export interface Place {
  readonly name: string;
  readonly address: string;
  /** What is done there before one looks. */
  readonly enter?: (page: Page) => Promise<void>;
}

const click = (name: string | RegExp) => async (page: Page) => {
  await page.getByRole('button', { name }).first().click();
};

/** Every screen and every dialog of the window. */
export const places: readonly Place[] = [
  { name: 'subjects', address: '#/subjects' },
  { name: 'photos', address: '#/subjects/3' },
  { name: 'photo', address: '#/subjects/3/photo/2' },
  { name: 'photos-none', address: '#/subjects/1' },
  { name: 'train', address: '#/train' },
  { name: 'train-knobs', address: '#/train', enter: async (page) => page.getByText('All settings').click() },
  {
    ...{ name: 'train-advanced', address: '#/train' },
    enter: async (page) => {
      await page.getByText('All settings').click();
      await page.getByText('Advanced', { exact: true }).click();
      await page.getByText('Maximum gradient norm').scrollIntoViewIfNeeded();
    },
  },
  {
    ...{ name: 'train-embedding', address: '#/train' },
    enter: async (page) => {
      await page.getByText('All settings').click();
      await page.getByRole('combobox', { name: 'Method' }).selectOption('Only a new word');
      await page.getByText('Starts as').scrollIntoViewIfNeeded();
    },
  },
  { name: 'run', address: '#/train/1' },
  { name: 'run-export', address: '#/train/2/export' },
  { name: 'runs-compared', address: '#/train/compare/1/2' },
  { name: 'generate', address: '#/generate' },
  {
    ...{ name: 'generate-more', address: '#/generate' },
    enter: async (page) => {
      await page.getByText('More settings').click();
      await page.getByText('Stop guidance').scrollIntoViewIfNeeded();
    },
  },
  {
    ...{ name: 'generate-enlarge', address: '#/generate' },
    enter: async (page) => {
      await page.getByText('More settings').click();
      await page.getByRole('combobox', { name: 'Enlarge' }).selectOption('×2');
      await page.getByText('Redraw the enlarged picture').scrollIntoViewIfNeeded();
    },
  },
  { name: 'gallery', address: '#/gallery' },
  { name: 'lightbox', address: '#/gallery/5' },
  { name: 'scores', address: '#/scores/2' },
  {
    ...{ name: 'scores-photos', address: '#/scores/2' },
    enter: async (page) => page.getByRole('heading', { name: 'Which photo hurts?' }).scrollIntoViewIfNeeded(),
  },
  { name: 'measurements', address: '#/scores/pictures' },
  {
    ...{ name: 'measurements-model', address: '#/scores/pictures' },
    enter: async (page) => page.getByText('A model, by DreamBooth’s protocol').click(),
  },
  { name: 'models', address: '#/models' },
  { name: 'models-smaller', address: '#/models/smaller' },
  {
    ...{ name: 'models-distill', address: '#/models/smaller' },
    enter: async (page) => {
      await page.getByText('Distil', { exact: true }).click();
      await page.getByText('Captioned pictures').first().scrollIntoViewIfNeeded();
    },
  },
  { name: 'models-network', address: '#/models/network' },
  {
    ...{ name: 'models-receipt', address: '#/models' },
    enter: async (page) => {
      await page.getByText('Receipt', { exact: true }).click();
      await page.getByText(/all \d+ tensors found/).scrollIntoViewIfNeeded();
    },
  },
  { name: 'settings', address: '#/settings' },
  { name: 'welcome', address: '#/welcome' },
  { name: 'jobs', address: '#/subjects', enter: async (page) => page.keyboard.press('j') },
  { name: 'palette', address: '#/subjects', enter: async (page) => page.keyboard.press('Control+k') },
  { name: 'shortcuts', address: '#/subjects', enter: async (page) => page.keyboard.press('?') },
  { name: 'new-subject', address: '#/subjects', enter: async (page) => page.keyboard.press('n') },
  { name: 'crop', address: '#/subjects/3', enter: click('Crop 01.jpg') },
  {
    ...{ name: 'mask', address: '#/subjects/3' },
    enter: async (page) => {
      await page.getByRole('button', { name: 'Mask 02.jpg' }).click();
      await page.getByText('% of the photo is the subject').waitFor();
    },
  },
  { name: 'more-steps', address: '#/train/2', enter: click('More steps') },
  { name: 'recent-prompts', address: '#/generate', enter: click('Recent prompts') },
  { name: 'compare-pictures', address: '#/gallery/5', enter: click('Compare with the next picture') },
  { name: 'folders', address: '#/models', enter: click('Import a model') },
];

/** Ends when nothing in the document has changed for a quarter of a second, and that has been drawn; after 5 seconds in any case. */
const standsStill = `new Promise((done) => {
  const drawn = () => requestAnimationFrame(() => requestAnimationFrame(done));
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(drawn, 250);
  };
  let timer = setTimeout(drawn, 250);
  new MutationObserver(again).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setTimeout(done, 5000);
})`;

/** Goes there afresh and waits until it stands still. `url`: with the token. */
export async function enter(page: Page, url: string, place: Place): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`${url}${place.address}`);
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.waitForLoadState('networkidle');
  await place.enter?.(page);
  await page.evaluate(standsStill);
}
