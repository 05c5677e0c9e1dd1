package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"unicode"
)

type entry struct {
	word  string
	count int
}

type stats struct {
	lines int
	words int
	chars int
	freq  map[string]int
}

// words too common to be interesting
var stopWords = map[string]bool{
	"a": true, "an": true, "and": true, "the": true, "of": true,
	"to": true, "in": true, "is": true, "it": true, "that": true,
}

func collect(r io.Reader) (*stats, error) {
	s := &stats{freq: map[string]int{}}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64*1024), 1024*1024)

	for scanner.Scan() {
		line := scanner.Text()
		s.lines++
		s.chars += len([]rune(line)) + 1
		words := strings.FieldsFunc(line, func(c rune) bool {
			return !unicode.IsLetter(c) && c != '\''
		})
		for _, word := range words {
			s.words++
			word = strings.ToLower(strings.Trim(word, "'"))
			if word != "" && !stopWords[word] {
				s.freq[word]++
			}
		}
	}
	return s, scanner.Err()
}

func (s *stats) add(other *stats) {
	s.lines += other.lines
	s.words += other.words
	s.chars += other.chars
	for word, count := range other.freq {
		s.freq[word] += count
	}
}

// top returns the n most frequent words, ties in alphabetical order.
func (s *stats) top(n int) []entry {
	entries := make([]entry, 0, len(s.freq))
	for word, count := range s.freq {
		entries = append(entries, entry{word, count})
	}
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].count != entries[j].count {
			return entries[i].count > entries[j].count
		}
		return entries[i].word < entries[j].word
	})
	if len(entries) > n {
		entries = entries[:n]
	}
	return entries
}

func main() {
	total := &stats{freq: map[string]int{}}
	status := 0
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
			continue
		}
		s, err := collect(file)
		file.Close()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			status = 1
			continue
		}
		fmt.Printf("%8d %8d %8d %s\n", s.lines, s.words, s.chars, name)
		total.add(s)
	}
	for i, e := range total.top(20) {
		fmt.Printf("%2d. %-20s %d\n", i+1, e.word, e.count)
	}
	os.Exit(status)
}
