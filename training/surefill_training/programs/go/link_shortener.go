package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

var ErrNotFound = errors.New("link not found")

type Link struct {
	Code      string    `json:"code"`
	Target    string    `json:"target"`
	Hits      int       `json:"hits"`
	CreatedAt time.Time `json:"created_at"`
}

// Store keeps links in memory. It is safe for concurrent use.
type Store struct {
	mu    sync.RWMutex
	links map[string]*Link
}

func NewStore() *Store {
	return &Store{links: make(map[string]*Link)}
}

func (s *Store) Create(target string) (Link, error) {
	code, err := randomCode(7)
	if err != nil {
		return Link{}, err
	}
	link := &Link{Code: code, Target: target, CreatedAt: time.Now().UTC()}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[code] = link
	return *link, nil
}

func (s *Store) Visit(code string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	link, ok := s.links[code]
	if !ok {
		return "", ErrNotFound
	}
	link.Hits++
	return link.Target, nil
}

func randomCode(n int) (string, error) {
	buf := make([]byte, n)
	if _, err := rand.Read(buf); err != nil {
		return "", err
	}
	for i, b := range buf {
		buf[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(buf), nil
}

type server struct {
	store *Store
}

func (s *server) handleCreate(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	var body struct {
		URL string `json:"url"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, "invalid JSON", http.StatusBadRequest)
		return
	}
	u, err := url.Parse(body.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		http.Error(w, "url must be http or https", http.StatusUnprocessableEntity)
		return
	}
	link, err := s.store.Create(u.String())
	if err != nil {
		log.Printf("create: %v", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(link)
}

func (s *server) handleVisit(w http.ResponseWriter, r *http.Request) {
	target, err := s.store.Visit(strings.TrimPrefix(r.URL.Path, "/"))
	if errors.Is(err, ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, target, http.StatusFound)
}

func main() {
	s := &server{store: NewStore()}
	http.HandleFunc("/api/links", s.handleCreate)
	http.HandleFunc("/", s.handleVisit)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
