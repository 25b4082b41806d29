import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript';
import tseslint from 'typescript-eslint';

/** The engine from top to bottom: a folder imports what stands in lower rows; folders of one row are siblings. */
const engine = [
  ['training', 'evaluation'],
  ['pipelines'],
  ['optim', 'schedulers', 'checkpoints'],
  ['models'],
  ['nn'],
  ['runtime'],
  ['onnx'],
  ['autodiff'],
  ['graph'],
  ['tensor'],
].map((row) => row.map((folder) => `src-main/engine/${folder}`));

/** What the composition roots put together. */
const studio = [
  'src-main/studio.ts',
  'src-main/ipc',
  'src-main/features',
  'src-main/jobs',
  'src-main/storage',
  'src-shared',
];

/** The layer map: what each folder may import besides itself. `*`: each folder there stands for itself. */
const layers = {
  'src-main/main.ts': [...studio, 'src-main/cli/studioFiles.ts'],
  'src-main/serve.ts': studio,
  'src-main/studio.ts': studio,
  'src-main/preload.ts': ['src-shared'],
  'src-main/cli': ['src-main/serve.ts', 'src-main/features', 'src-main/engine', 'src-shared'],
  'src-main/worker': ['src-main/features', 'src-main/engine', 'src-shared'],
  'src-main/ipc': ['src-shared'],
  'src-main/features/*': [
    'src-main/features/studioContext.ts',
    'src-main/engine',
    'src-main/jobs',
    'src-main/storage',
    'src-shared',
  ],
  'src-main/jobs': ['src-main/storage', 'src-shared'],
  'src-main/storage': ['src-shared'],
  ...Object.fromEntries(
    engine.flatMap((row, depth) =>
      row.map((name) => [name, [...engine.slice(depth + 1).flat(), 'src-shared']]),
    ),
  ),
  'src-shared': [],
  'src-renderer/client': ['src-renderer/texts', 'src-shared'],
  'src-renderer/texts': ['src-shared'],
  'src-renderer/ui': ['src-renderer/texts', 'src-shared'],
  'src-renderer/state': ['src-renderer/client', 'src-renderer/texts', 'src-shared'],
  'src-renderer/features/*': [
    'src-renderer/ui',
    'src-renderer/state',
    'src-renderer/client',
    'src-renderer/texts',
    'src-shared',
  ],
  'src-renderer': ['src-renderer', 'src-shared'],
};

/** Packages that one place alone may import. */
const packages = [
  { name: /^onnxruntime-/, only: ['src-main/engine/runtime'] },
  { name: /^better-sqlite3$/, only: ['src-main/storage'] },
  { name: /^electron$/, only: ['src-main/main.ts', 'src-main/preload.ts', 'src-main/ipc/electron'] },
];

const sources = ['src-main', 'src-shared', 'src-renderer'];
const root = import.meta.dirname;

const covers = (folder, file) => file === folder || file.startsWith(folder + '/');

/** The folder of the map that `file` belongs to: its key there, and its name with `*` filled in. */
function layerOf(file) {
  for (const key of Object.keys(layers)) {
    const name = key.endsWith('/*') ? file.split('/').slice(0, key.split('/').length).join('/') : key;
    if (covers(name, file) && covers(key.replace('/*', ''), file)) return { key, name };
  }
  return undefined;
}

/** Says why `file` (relative to the root, with slashes) may not import `specifier`, or returns undefined. */
function layerProblem(file, specifier) {
  if (!sources.some((folder) => covers(folder, file))) return undefined;
  if (!specifier.startsWith('.')) {
    if (!covers('src-main', file) && isBuiltin(specifier) && !file.endsWith('.config.ts'))
      return `${file.split('/')[0]} has no Node: it runs in the browser`;
    const rule = packages.find(({ name }) => name.test(specifier));
    if (!rule || rule.only.some((folder) => covers(folder, file))) return undefined;
    return `only ${rule.only.join(', ')} may import ${specifier}`;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const [from, to] = [layerOf(file), layerOf(target)];
  if (!from) return `${file} stands in no layer of eslint.config.js`;
  if (from.name === to?.name || layers[from.key].some((folder) => covers(folder, target))) return undefined;
  return `${from.name} may not import ${to?.name ?? target}; it may import ${layers[from.key].join(', ')}`;
}

/** The files that `text` imports at run time, absolute; type imports leave no trace there. */
function importedFiles(file, text) {
  return ts
    .preProcessFile(text.replace(/^(im|ex)port type [^;]*;/gm, ''), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.resolve(path.dirname(file), name));
}

const importsOf = new Map();
function importsOnDisk(file) {
  let found = importsOf.get(file);
  if (!found) {
    found = fs.existsSync(file) ? importedFiles(file, fs.readFileSync(file, 'utf8')) : [];
    importsOf.set(file, found);
  }
  return found;
}

/** A way from `start` back to `goal` along imports, as the files on it, or undefined. */
function wayBack(start, goal) {
  const seen = new Set();
  const walk = (file) => {
    if (file === goal) return [file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const next of importsOnDisk(file)) {
      const rest = walk(next);
      if (rest) return [file, ...rest];
    }
    return undefined;
  };
  return walk(start);
}

const likeness = {
  rules: {
    layers: {
      create(context) {
        const file = path.relative(root, context.filename).split(path.sep).join('/');
        const check = ({ source }) => {
          const why =
            source && typeof source.value === 'string' ? layerProblem(file, source.value) : undefined;
          if (why) context.report({ node: source, message: why });
        };
        return {
          ImportDeclaration: check,
          ImportExpression: check,
          ExportNamedDeclaration: check,
          ExportAllDeclaration: check,
          TSImportType: check,
        };
      },
    },
    'no-cycles': {
      create(context) {
        return {
          Program(node) {
            for (const next of importedFiles(context.filename, context.sourceCode.text)) {
              const way = wayBack(next, context.filename);
              if (!way) continue;
              const names = way.map((file) => path.relative(root, file)).join(' → ');
              context.report({ node, message: `these files import each other: ${names}` });
              return;
            }
          },
        };
      },
    },
  },
};

/** Parsing with types costs one program for both kinds of files only when both are told the same. */
const parserOptions = { projectService: true, tsconfigRootDir: root, extraFileExtensions: ['.svelte'] };

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'test/golden/fixtures/**', '.cache/**'] },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    extends: [tseslint.configs.strict, svelte.configs.recommended],
    plugins: { likeness },
    languageOptions: { parserOptions: { ...parserOptions, parser: tseslint.parser } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'likeness/layers': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'prefer-const': 'off',
      'svelte/prefer-const': 'error',
      // It knows fewer warnings than the compiler has; svelte-check reports those that are left.
      'svelte/no-unused-svelte-ignore': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'SvelteAttribute[key.name="style"]',
          message:
            "The page's CSP lets no style attribute through: use style:name={value}, which is set by script.",
        },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['**/*.svelte.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { likeness },
    languageOptions: { parserOptions },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'likeness/layers': 'error',
      'likeness/no-cycles': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
    },
  },
);
