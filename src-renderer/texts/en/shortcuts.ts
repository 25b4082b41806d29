export const shortcuts = {
  title: 'Keyboard shortcuts',
  groups: [
    {
      name: 'Everywhere',
      keys: [
        ['Mod+K', 'Command menu'],
        ['?', 'Keyboard shortcuts'],
        ['N', 'New subject'],
        ['J', 'Jobs'],
        ['Mod+Z', 'Undo'],
        ['Esc', 'Close'],
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
      keys: [['Mod+Enter', 'Start']],
    },
    {
      name: 'Gallery',
      keys: [
        ['Enter', 'Open'],
        ['Space', 'Select'],
        ['Shift+↓', 'Select a range'],
        ['Mod+A', 'Select all'],
        ['F', 'Favourite'],
        ['C', 'Compare two selected pictures'],
        ['Del', 'Remove'],
      ],
    },
    {
      name: 'One picture',
      keys: [
        ['← →', 'Previous, next picture'],
        ['F', 'Mark as favourite'],
        ['I', 'Show or hide the recipe'],
        ['U', 'Use its settings'],
        ['Z', 'Actual size'],
        ['S', 'Save'],
        ['C', 'Copy'],
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
        ['Shift+→', 'Resize a shape, or paint with the brush'],
        ['Enter', 'Apply'],
        ['[ ]', 'Brush size'],
        ['+', 'Zoom in'],
        ['-', 'Zoom out'],
        ['0', 'Show the whole photo'],
        ['E', 'Switch between Add and Erase'],
        ['I', 'Invert'],
        ['Mod+Z', 'Undo'],
        ['Mod+Shift+Z', 'Redo'],
      ],
    },
  ] as readonly { readonly name: string; readonly keys: readonly (readonly [string, string])[] }[],
};
