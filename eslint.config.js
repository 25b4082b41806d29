import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript';
import tseslint from 'typescript-eslint';

/** The engine from top to bottom: a folder imports what stands in lower rows; folders of one row are siblings. */
const engine = [
  ['training/run', 'evaluation'],
  ['training/team'],
  ['training/loss'],
  ['training/data'],
  ['pipelines'],
  ['pictures'],
  ['coreml'],
  ['optim', 'schedulers', 'checkpoints'],
  ['models'],
  ['nn'],
  ['runtime'],
  ['onnx'],
  ['autodiff'],
  ['graph'],
  ['tensor'],
].map((row) => row.map((folder) => `src-main/engine/${folder}`));

/** What is computed, from top to bottom, in the same way; files beside the folders stand for themselves. */
const features = [
  ['tasks.ts', 'quickstart', 'doctor.ts'],
  ['dreambooth'],
  ['score', 'cuda', 'guidance'],
  ['evaluation', 'export', 'generation', 'training', 'distillation', 'photos', 'download', 'gpuCheck'],
  ['bench', 'compression', 'influence', 'inspect', 'join.ts', 'modelLock.ts', 'providers.ts', 'upscale.ts'],
].map((row) => row.map((name) => `src-main/features/${name}`));

/** What answers the contract, from top to bottom, in the same way. */
const studio = [
  ['studio.ts'],
  ['generation', 'library', 'compressionHandlers.ts', 'influenceHandlers.ts', 'trashHandlers.ts'],
  ['models', 'scan', 'subjects'],
  ['photos', 'training'],
  [
    ...[
      'originals',
      'system',
      'evaluationHandlers.ts',
      'exportHandlers.ts',
      'galleryHandlers.ts',
      'jobHandlers.ts',
      'loraHandlers.ts',
    ],
    ...['projectHandlers.ts', 'scoreHandlers.ts', 'settingsHandlers.ts'],
  ],
  ['context.ts', 'presentModel.ts', 'sizeOf.ts'],
].map((row) => row.map((name) => `src-main/studio/${name}`));

/** Each folder of `rows` with what stands in lower ones, and `below` all of them. */
function ranked(rows, below) {
  return Object.fromEntries(
    rows.flatMap((row, depth) => row.map((name) => [name, [...rows.slice(depth + 1).flat(), ...below]])),
  );
}

/** What opens the studio: its window, or a server. */
const shell = [
  'src-main/studio',
  'src-main/ipc',
  'src-main/jobs',
  'src-main/places.ts',
  'src-main/shipped.ts',
  'src-shared',
];

/** The layer map: what each folder may import besides itself. `*`: each folder there stands for itself. */
const layers = {
  'src-main/main.ts': shell,
  'src-main/serve.ts': shell,
  'src-main/preload.ts': ['src-shared'],
  'src-main/cli': [
    'src-main/serve.ts',
    'src-main/features',
    'src-main/engine',
    'src-main/places.ts',
    'src-main/shipped.ts',
    'src-shared',
  ],
  'src-main/worker': ['src-main/features', 'src-main/socketLock.ts', 'src-shared'],
  ...ranked(studio, [
    'src-main/ipc/answer.ts',
    'src-main/features',
    'src-main/engine',
    'src-main/jobs',
    'src-main/storage',
    'src-main/places.ts',
    'src-main/socketLock.ts',
    'src-main/makeFolders.ts',
    'src-main/readKept.ts',
    'src-main/sharp.ts',
    'src-shared',
  ]),
  'src-main/ipc': ['src-main/makeFolders.ts', 'src-main/readKept.ts', 'src-main/sharp.ts', 'src-shared'],
  ...ranked(features, [
    'src-main/engine',
    'src-main/places.ts',
    'src-main/makeFolders.ts',
    'src-main/sharp.ts',
    'src-shared',
  ]),
  'src-main/jobs': ['src-main/features/tasks.ts', 'src-main/storage', 'src-shared'],
  'src-main/storage': ['src-main/makeFolders.ts', 'src-main/readKept.ts', 'src-shared'],
  ...ranked(engine, [
    'src-main/shipped.ts',
    'src-main/makeFolders.ts',
    'src-main/readKept.ts',
    'src-main/sharp.ts',
    'src-shared',
  ]),
  'src-main/makeFolders.ts': [],
  'src-main/readKept.ts': ['src-shared/orNothing.ts'],
  'src-main/places.ts': [],
  'src-main/sharp.ts': [],
  'src-main/shipped.ts': [],
  'src-main/socketLock.ts': ['src-shared'],
  ...ranked(
    [
      ['contract'],
      ['domain'],
      ['messages'],
      ['segmentation'],
      ['entryOf.ts', 'orNothing.ts', 'plural.ts', 'scaledSize.ts'],
    ].map((row) => row.map((name) => `src-shared/${name}`)),
    [],
  ),
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
  ...ranked(
    [['models/recipe/look'], ['models/recipe/sweep'], ['models/recipe/data'], ['models/recipe/render']],
    [
      'models/recipe/contactSheet.ts',
      'models/recipe/paths.ts',
      'models/recipe/settings.ts',
      'src-main/engine',
      'src-main/features',
      'src-shared',
    ],
  ),
  'models/recipe': ['src-main/engine'],
};

/** The wall: what the main process never reaches, over however many imports. ONNX Runtime blocks its thread for seconds. */
const walls = [
  {
    of: ['main.ts', 'serve.ts', 'studio', 'jobs', 'ipc', 'storage'].map((name) => `src-main/${name}`),
    never: 'src-main/engine/runtime/onnxRuntime.ts',
  },
];

/** Every package, and who may import it. */
const packages = {
  'onnxruntime-node': ['src-main/engine/runtime'],
  'better-sqlite3': ['src-main/storage'],
  electron: ['src-main/main.ts', 'src-main/preload.ts', 'src-main/ipc/electron'],
  chokidar: ['src-main/studio/photos'],
  ws: ['src-main/ipc'],
  'p-queue': ['src-main/engine/training'],
  'p-retry': ['src-main/engine/training'],
  'tar-stream': ['src-main/engine/training', 'src-main/ipc'],
  'csv-parse': ['src-main/engine/training', 'src-main/cli'],
  protobufjs: ['src-main/engine/onnx', 'src-main/engine/coreml'],
  sharp: ['src-main/sharp.ts', 'models/recipe'],
  zod: ['src-main', 'src-shared'],
  svelte: ['src-renderer'],
  uplot: ['src-renderer/ui'],
  vite: ['src-renderer/vite.config.ts'],
  '@sveltejs/vite-plugin-svelte': ['src-renderer/vite.config.ts', 'src-renderer/svelte.config.js'],
};

const sources = ['src-main', 'src-shared', 'src-renderer', 'models/recipe'];
const inBrowser = ['src-shared', 'src-renderer'];
const root = import.meta.dirname;

const relative = (file) => path.relative(root, file).split(path.sep).join('/');

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
    if (isBuiltin(specifier)) {
      const allowed = file.endsWith('.config.ts') || !inBrowser.some((folder) => covers(folder, file));
      return allowed ? undefined : `${file.split('/')[0]} has no Node: it runs in the browser`;
    }
    const [name] = /^(@[^/]+\/)?[^/]+/.exec(specifier);
    const only = packages[name];
    if (!only) return `${name} is not among the packages of eslint.config.js`;
    if (only.some((folder) => covers(folder, file))) return undefined;
    return `only ${only.join(', ')} may import ${name}`;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const [from, to] = [layerOf(file), layerOf(target)];
  if (!from) return `${file} stands in no layer of eslint.config.js`;
  if (from.name === to?.name || layers[from.key].some((folder) => covers(folder, target))) return undefined;
  return `${from.name} may not import ${to?.name ?? target}; it may import ${layers[from.key].join(', ')}`;
}

/** The files that `text` imports, absolute; type imports leave no trace at run time. */
function importedFiles(file, text, withTypes) {
  const followed = withTypes ? text : text.replace(/^(im|ex)port type [^;]*;/gm, '');
  return ts
    .preProcessFile(followed, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.resolve(path.dirname(file), name));
}

const importsOf = new Map();
function importsOnDisk(file, withTypes) {
  const key = `${file} ${withTypes}`;
  let found = importsOf.get(key);
  if (!found) {
    found = fs.existsSync(file) ? importedFiles(file, fs.readFileSync(file, 'utf8'), withTypes) : [];
    importsOf.set(key, found);
  }
  return found;
}

/** A way from `start` to `goal` along imports, as the files on it, or undefined. */
function wayTo(start, goal, withTypes) {
  const seen = new Set();
  const walk = (file) => {
    if (file === goal) return [file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const next of importsOnDisk(file, withTypes)) {
      const rest = walk(next);
      if (rest) return [file, ...rest];
    }
    return undefined;
  };
  return walk(start);
}

/** Reports a way from the file that is read to `goal`. */
function wayProblem({ filename, sourceCode, report }, { goal, withTypes, message }) {
  return {
    Program(node) {
      for (const next of importedFiles(filename, sourceCode.text, withTypes)) {
        const way = wayTo(next, goal, withTypes);
        if (way) return report({ node, message: message(way.map(relative).join(' → ')) });
      }
      return undefined;
    },
  };
}

const likeness = {
  rules: {
    layers: {
      create(context) {
        const file = relative(context.filename);
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
      create: (context) =>
        wayProblem(context, {
          ...{ goal: context.filename, withTypes: true },
          message: (way) => `these files import each other: ${way}`,
        }),
    },
    walls: {
      create(context) {
        const file = relative(context.filename);
        const wall = walls.find(({ of }) => of.some((folder) => covers(folder, file)));
        if (!wall) return {};
        return wayProblem(context, {
          ...{ goal: path.resolve(root, wall.never), withTypes: false },
          message: (way) => `${wall.of.join(', ')} must not reach ${wall.never}: ${way}`,
        });
      },
    },
  },
};

/** Node's `recursive` never comes back where the system says ENOENT below a folder that is there, as /proc does. */
const hangs = {
  selector: 'CallExpression[callee.name=/^mkdir(Sync)?$/]:has(Property[key.name="recursive"])',
  message: 'use makeFolders: mkdir with recursive hangs below /proc',
};

/** Of the window's stores, whose fields only they themselves set. */
const stores =
  'connection|gallery|influence|loraFiles|machine|models|photos|scores|settings|subjects|toasts|training|trash';
const setFromOutside = ['AssignmentExpression > .left', 'SvelteDirective[kind="Binding"] > .expression'].map(
  (place) => ({
    selector: `${place}[object.name=/^(${stores})$/]`,
    message: 'a store sets its own fields: give it a method',
  }),
);

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
        ...setFromOutside,
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
      'likeness/walls': 'error',
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
  {
    files: ['src-renderer/**/*.ts'],
    ignores: ['**/*.svelte.ts'],
    rules: { 'no-restricted-syntax': ['error', ...setFromOutside] },
  },
  { files: ['src-main/**/*.ts'], rules: { 'no-restricted-syntax': ['error', hangs] } },
);
