'use strict';

const express = require('express');
const crypto = require('crypto');
const fs = require('fs/promises');
const path = require('path');

const PORT = process.env.PORT || 3000;
const DATA_FILE = path.join(__dirname, 'notes.json');

const app = express();
app.use(express.json({ limit: '100kb' }));

let notes = [];

async function loadNotes() {
  try {
    const content = await fs.readFile(DATA_FILE, 'utf8');
    notes = JSON.parse(content);
  } catch (err) {
    if (err.code !== 'ENOENT') {
      throw err;
    }
    notes = [];
  }
}

async function saveNotes() {
  await fs.writeFile(DATA_FILE, JSON.stringify(notes, null, 2));
}

// Returns a list of messages, empty if the note is fine.
function validate(body) {
  const errors = [];
  if (typeof body.title !== 'string' || body.title.trim() === '') {
    errors.push('title is required');
  }
  if (body.content !== undefined && typeof body.content !== 'string') {
    errors.push('content must be a string');
  }
  if (body.tags !== undefined && !Array.isArray(body.tags)) {
    errors.push('tags must be an array');
  }
  return errors;
}

app.use((req, res, next) => {
  const start = Date.now();
  res.on('finish', () => {
    console.log(`${req.method} ${req.originalUrl} ${res.statusCode} ${Date.now() - start}ms`);
  });
  next();
});

app.get('/notes', (req, res) => {
  const { tag, q } = req.query;
  let result = notes;
  if (tag) {
    result = result.filter((note) => note.tags.includes(tag));
  }
  if (q) {
    const needle = q.toLowerCase();
    result = result.filter((note) => note.title.toLowerCase().includes(needle));
  }
  res.json(result);
});

app.get('/notes/:id', (req, res) => {
  const note = notes.find((n) => n.id === req.params.id);
  if (!note) {
    return res.status(404).json({ error: 'Note not found' });
  }
  res.json(note);
});

app.post('/notes', async (req, res, next) => {
  const errors = validate(req.body);
  if (errors.length > 0) {
    return res.status(400).json({ errors });
  }
  const note = {
    id: crypto.randomUUID(),
    title: req.body.title.trim(),
    content: req.body.content || '',
    tags: req.body.tags || [],
    createdAt: new Date().toISOString(),
  };
  notes.push(note);
  try {
    await saveNotes();
    res.status(201).json(note);
  } catch (err) {
    next(err);
  }
});

app.delete('/notes/:id', async (req, res) => {
  const index = notes.findIndex((n) => n.id === req.params.id);
  if (index === -1) {
    return res.status(404).json({ error: 'Note not found' });
  }
  notes.splice(index, 1);
  await saveNotes();
  res.status(204).end();
});

app.use((err, req, res, next) => {
  console.error(err);
  res.status(500).json({ error: 'Internal server error' });
});

loadNotes().then(() => {
  app.listen(PORT, () => console.log(`Notes server listening on port ${PORT}`));
});
