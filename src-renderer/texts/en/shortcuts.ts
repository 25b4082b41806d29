export const shortcuts = {
  title: 'Keyboard shortcuts',
  groups: [
    {
      name: 'Everywhere',
      keys: [
        ['Mod+K', 'Find and do'],
        ['?', 'This sheet'],
        ['N', 'New subject'],
        ['J', 'Jobs'],
        ['Mod+Z', 'Undo what was just done'],
        ['Esc', 'Close what is open'],
      ],
    },
    {
      name: 'Go to',
      keys: [
        ['G S', 'Subjects'],
        ['G T', 'Train'],
        ['G G', 'Generate'],
        ['G A', 'Gallery'],
        ['G C', 'Scores'],
        ['G M', 'Models'],
        ['G E', 'Settings'],
      ],
    },
    {
      name: 'Train and Generate',
      keys: [['Mod+Enter', 'Start the run, make the pictures']],
    },
    {
      name: 'Gallery',
      keys: [
        ['Enter', 'Open'],
        ['Space', 'Choose'],
        ['Shift+↓', 'Choose a range'],
        ['Mod+A', 'Choose all'],
        ['F', 'Favourite'],
        ['C', 'Compare two chosen pictures'],
        ['Del', 'Remove'],
      ],
    },
    {
      name: 'One picture',
      keys: [
        ['← →', 'Picture before, picture after'],
        ['F', 'Mark as favourite'],
        ['I', 'Show or hide the recipe'],
        ['U', 'Use its settings'],
        ['Delete', 'Remove it'],
      ],
    },
    {
      name: 'Crop',
      keys: [
        ['← ↑ → ↓', 'Move'],
        ['+', 'Larger'],
        ['-', 'Smaller'],
      ],
    },
    {
      name: 'Mask',
      keys: [
        ['← ↑ → ↓', 'Move'],
        ['Shift+→', 'Resize a shape, paint with the brush'],
        ['Enter', 'Apply'],
        ['[ ]', 'Brush size'],
        ['+', 'Closer'],
        ['-', 'Farther'],
        ['0', 'Whole photo'],
        ['E', 'Erase, or add again'],
        ['I', 'Invert'],
        ['Mod+Z', 'Undo'],
        ['Mod+Shift+Z', 'Do again'],
      ],
    },
  ] as readonly { readonly name: string; readonly keys: readonly (readonly [string, string])[] }[],
};
