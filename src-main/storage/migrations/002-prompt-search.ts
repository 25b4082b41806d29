import type { Migration } from './migration.ts';

/** Full text search over prompts; triggers keep it in step with the pictures. */
export const promptSearch: Migration = {
  number: 2,
  name: 'prompt-search',
  up: (db) =>
    db.exec(`
      CREATE VIRTUAL TABLE image_prompts USING fts5 (
        prompt, content = 'images', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
      );
      INSERT INTO image_prompts (rowid, prompt) SELECT id, prompt FROM images;
      CREATE TRIGGER images_added AFTER INSERT ON images BEGIN
        INSERT INTO image_prompts (rowid, prompt) VALUES (new.id, new.prompt);
      END;
      CREATE TRIGGER images_gone AFTER DELETE ON images BEGIN
        INSERT INTO image_prompts (image_prompts, rowid, prompt) VALUES ('delete', old.id, old.prompt);
      END;
      CREATE TRIGGER images_reworded AFTER UPDATE OF prompt ON images BEGIN
        INSERT INTO image_prompts (image_prompts, rowid, prompt) VALUES ('delete', old.id, old.prompt);
        INSERT INTO image_prompts (rowid, prompt) VALUES (new.id, new.prompt);
      END;
    `),
};
