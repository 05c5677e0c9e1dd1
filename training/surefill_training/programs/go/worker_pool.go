// Command checklinks reads URLs from standard input and reports which of them
// do not answer.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Result is what became of one URL.
type Result struct {
	URL      string
	Status   int
	Duration time.Duration
	Err      error
}

// OK reports whether the server answered with a status below 400.
func (r Result) OK() bool {
	return r.Err == nil && r.Status < 400
}

func check(ctx context.Context, client *http.Client, url string) Result {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return Result{URL: url, Err: err}
	}
	resp, err := client.Do(req)
	if err != nil {
		return Result{URL: url, Duration: time.Since(start), Err: err}
	}
	defer resp.Body.Close()
	return Result{URL: url, Status: resp.StatusCode, Duration: time.Since(start)}
}

// runPool starts n workers and closes the returned channel once all jobs are done.
func runPool(ctx context.Context, n int, jobs <-chan string) <-chan Result {
	results := make(chan Result)
	client := &http.Client{Timeout: 10 * time.Second}

	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for url := range jobs {
				select {
				case results <- check(ctx, client, url):
				case <-ctx.Done():
					return
				}
			}
		}()
	}

	go func() {
		wg.Wait()
		close(results)
	}()
	return results
}

func main() {
	workers := flag.Int("workers", 8, "number of concurrent requests")
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()

	jobs := make(chan string)
	go func() {
		defer close(jobs)
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			line := strings.TrimSpace(scanner.Text())
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			select {
			case jobs <- line:
			case <-ctx.Done():
				return
			}
		}
	}()

	failed := 0
	for result := range runPool(ctx, *workers, jobs) {
		if result.OK() {
			fmt.Printf("ok    %s (%v)\n", result.URL, result.Duration.Round(time.Millisecond))
			continue
		}
		failed++
		if result.Err != nil {
			fmt.Printf("error %s: %v\n", result.URL, result.Err)
		} else {
			fmt.Printf("%d   %s\n", result.Status, result.URL)
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}
