import { describe, expect, it } from 'vitest';
import { MaskHistory } from '../../../src-renderer/ui/mask/maskHistory.svelte.ts';
import { MaskPen, type PenOptions } from '../../../src-renderer/ui/mask/maskPen.svelte.ts';
import { boxBetween, type MaskTool } from '../../../src-renderer/ui/mask/maskSteps.ts';

const photo = { width: 400, height: 200 };

function penFor(options: Partial<PenOptions> & { readonly tool: MaskTool }) {
  const history = new MaskHistory();
  const chosen: PenOptions = { erase: false, size: 20, ...options };
  return { history, pen: new MaskPen(photo, history, () => chosen) };
}

const press = (pen: MaskPen, key: string, shiftKey = false) => pen.key({ key, shiftKey, repeat: false });

describe('mask shapes', () => {
  it.each<[[number, number], [number, number]]>([
    [
      [10, 20],
      [40, 60],
    ],
    [
      [40, 60],
      [10, 20],
    ],
    [
      [10, 60],
      [40, 20],
    ],
  ])('are the box between %j and %j', (from, to) => {
    expect(boxBetween(from, to)).toEqual({ x: 10, y: 20, width: 30, height: 40 });
  });

  it('become one step when the pointer lets go', () => {
    const { history, pen } = penFor({ tool: 'rectangle' });
    pen.take([40, 60]);
    pen.drag([
      [30, 30],
      [10, 20],
    ]);
    expect(history.steps).toEqual([]);
    pen.drop();
    expect(history.steps).toEqual([
      { kind: 'rectangle', erase: false, box: { x: 10, y: 20, width: 30, height: 40 } },
    ]);
    expect(pen.live).toBeUndefined();
  });

  it('leave nothing after a click that did not move', () => {
    const { history, pen } = penFor({ tool: 'ellipse' });
    pen.take([40, 60]);
    pen.drop();
    expect(history.steps).toEqual([]);
  });

  it('erase where the tool is set to', () => {
    const { history, pen } = penFor({ tool: 'ellipse', erase: true });
    pen.take([0, 0]);
    pen.drag([[50, 50]]);
    pen.drop();
    expect(history.steps).toMatchObject([{ kind: 'ellipse', erase: true }]);
  });

  it('grow around their middle by keyboard', () => {
    const { history, pen } = penFor({ tool: 'rectangle' });
    press(pen, 'Enter');
    press(pen, 'ArrowRight', true);
    press(pen, 'ArrowLeft');
    press(pen, 'Enter');
    const [step] = history.steps;
    if (step?.kind !== 'rectangle') throw new Error('no rectangle');
    expect(step.box.width).toBeGreaterThan(photo.width / 2);
    // One step to the left of the middle: a key moves by an eightieth of the short side.
    expect(step.box.x + step.box.width / 2).toBeCloseTo(photo.width / 2 - photo.height / 80);
  });
});

describe('the lasso', () => {
  it('needs three corners and is closed by Enter on the same spot', () => {
    const { history, pen } = penFor({ tool: 'lasso' });
    for (const key of ['Enter', 'ArrowRight', 'Enter', 'ArrowDown', 'Enter']) press(pen, key);
    expect(history.steps).toEqual([]);
    press(pen, 'Enter');
    expect(history.steps).toHaveLength(1);
    expect(history.steps[0]).toMatchObject({ kind: 'lasso' });
  });

  it('of two points marks nothing', () => {
    const { history, pen } = penFor({ tool: 'lasso' });
    pen.take([0, 0]);
    pen.drag([[50, 50]]);
    pen.drop();
    expect(history.steps).toEqual([]);
  });
});

describe('the brush', () => {
  it('keeps its size, and a tap is a dab', () => {
    const { history, pen } = penFor({ tool: 'brush', size: 32 });
    pen.take([5, 6]);
    pen.drop();
    expect(history.steps).toEqual([{ kind: 'brush', erase: false, size: 32, points: [[5, 6]] }]);
  });

  it('stays on the photo by keyboard', () => {
    const { pen } = penFor({ tool: 'brush' });
    for (let i = 0; i < 500; i += 1) press(pen, 'ArrowUp');
    expect(pen.at).toEqual([photo.width / 2, 0]);
  });

  it('forgets on Escape what is not finished', () => {
    const { history, pen } = penFor({ tool: 'brush' });
    press(pen, 'ArrowRight', true);
    expect(press(pen, 'Escape')).toBe(true);
    pen.lift();
    expect(history.steps).toEqual([]);
    expect(press(pen, 'Escape')).toBe(false);
  });
});

describe('the history of a mask', () => {
  it('undoes and redoes, and forgets what was undone once something new is done', () => {
    const history = new MaskHistory();
    history.add({ kind: 'clear' });
    history.add({ kind: 'invert' });
    history.undo();
    expect([history.steps.length, history.canUndo, history.canRedo]).toEqual([1, true, true]);
    history.redo();
    expect(history.steps).toEqual([{ kind: 'clear' }, { kind: 'invert' }]);
    history.undo();
    history.undo();
    history.undo();
    history.add({ kind: 'invert' });
    expect([history.steps.length, history.canRedo]).toEqual([1, false]);
  });
});
