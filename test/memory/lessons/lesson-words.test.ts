import { describe, expect, it } from 'vitest';
import { contradicts, lessonHash, sameLesson } from '../../../src/memory/lessons/lesson-words.ts';

describe('the words of lessons', () => {
  it('are the same whatever their marks, spaces and case', () => {
    expect(lessonHash('Write dates  with the year!')).toBe(lessonHash('write dates, with the YEAR'));
    expect(lessonHash('Write dates with the year')).not.toBe(lessonHash('Write dates with the day'));
  });

  it.each([
    ['Write all dates with the year.', 'All dates are written with the year', true],
    ['Write dates with the year.', 'Never write dates with the year.', false],
    ['Round amounts to 2 places.', 'Round amounts to 3 places.', false],
    ['Write dates with the year.', 'List the rivers by length.', false],
  ])('“%s” and “%s” say the same: %s', (a, b, same) => {
    expect(sameLesson(a, b)).toBe(same);
  });

  it.each([
    ['Write dates with the year.', 'Do not write dates with the year.', true],
    ['Include the currency sign in amounts.', 'Omit the currency sign in amounts.', true],
    ['Sort the list ascending by price.', 'Sort the list descending by price.', true],
    ['Write dates with the year.', 'Write dates with the year, always.', false],
    ['Never use passive voice.', 'Include the currency sign in amounts.', false],
  ])('“%s” contradicts “%s”: %s', (a, b, contradictory) => {
    const trigger = 'monthly report for the board';
    expect(contradicts({ trigger, text: a }, { trigger, text: b })).toBe(contradictory);
  });

  it('contradict each other only for the same work', () => {
    const a = { trigger: 'monthly report for the board', text: 'Include the currency sign.' };
    const b = { trigger: 'poems about the sea', text: 'Omit the currency sign.' };
    expect(contradicts(a, b)).toBe(false);
    expect(contradicts(a, { ...b, trigger: '' })).toBe(true);
  });
});
