package httpapi_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"markr/httpapi"
)

// While changes are looked at, others wait; more than may wait are told to come again. It
// is a line of its own: imports and other reads do not stand in it.
func TestWhatIfsTakeTurns(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, oddDocument(answered("1", "AAB", "AAA"), answered("2", "ABB", "AAA")))
	const path = "/results/a%2Fb/"
	let := o.HoldWhatIfs()
	var waiting sync.WaitGroup
	answers := make(chan int, httpapi.WhatIfsWaitingMax)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: httpapi.WhatIfsWaitingMax}}
	defer client.CloseIdleConnections()
	for range httpapi.WhatIfsWaitingMax {
		waiting.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+o.address+path+"what-if?withdraw=1&withdraw=2", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			answers <- response.StatusCode
		})
	}
	eventually(t, "all wait", func() bool { return o.WhatIfsWaiting() == httpapi.WhatIfsWaitingMax })
	refused := o.get(t, path+"what-if?withdraw=1")
	if refused.status != http.StatusServiceUnavailable || refused.code(t) != "overloaded" || refused.header.Get("Retry-After") == "" {
		t.Errorf("one too many is told %d %s", refused.status, refused.body)
	}
	o.accept(t, oddDocument(answered("3", "AAA", "AAA")))
	for _, target := range []string{"items", "items/1", "aggregate"} {
		if got := o.get(t, path+target); got.status != http.StatusOK {
			t.Errorf("%s meanwhile: %d %s", target, got.status, got.body)
		}
	}
	// What is asked wrongly is told without waiting.
	if got := o.get(t, path+"what-if?boundaries=A"); got.status != http.StatusBadRequest {
		t.Errorf("a wrong parameter: %d %s", got.status, got.body)
	}
	let()
	waiting.Wait()
	close(answers)
	counts := make(map[int]int)
	for status := range answers {
		counts[status]++
	}
	// Some may have waited for as long as anybody may, where the machine is busy.
	if counts[http.StatusOK]+counts[http.StatusServiceUnavailable] != httpapi.WhatIfsWaitingMax || counts[http.StatusOK] == 0 {
		t.Errorf("those who waited were told %v", counts)
	}
	if n := o.WhatIfsWaiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
	if got := o.get(t, path+"what-if?withdraw=1"); got.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", got.status, got.body)
	}
}

// Nobody waits for longer than the bound, and who waits gets the turn that ends first.
func TestWhatIfsWaitInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		take, let := httpapi.WhatIfTurns()
		began := time.Now()
		_, err := take()
		if status, code := httpapi.ProblemOf(err); status != http.StatusServiceUnavailable || code != "overloaded" {
			t.Errorf("who has waited in vain is told %v", err)
		}
		if waited := time.Since(began); waited != httpapi.WhatIfWaitMax {
			t.Errorf("it waited for %s", waited)
		}
		got := make(chan error)
		go func() {
			end, err := take()
			if err == nil {
				end()
			}
			got <- err
		}()
		synctest.Wait() // It waits.
		time.Sleep(httpapi.WhatIfWaitMax - 1)
		let()
		if err := <-got; err != nil {
			t.Errorf("in the last moment: %v", err)
		}
	})
}

// A crowd that looks at changes all the time leaves imports and reads alone: they come
// to their end while it goes on.
func TestWhatIfCrowd(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const students, questions, crowd, rounds = 5000, 20, 32, 40
	document := make([]string, students)
	for i := range document {
		responses := make([]byte, questions)
		for q := range responses {
			responses[q] = 'A' + byte(i>>(q%10)&1)
		}
		document[i] = answered(fmt.Sprint("s", i), string(responses), "AAAAAAAAAAAAAAAAAAAA")
	}
	o.accept(t, oddDocument(document...))
	target := "http://" + o.address + "/results/a%2Fb/what-if?withdraw=1&withdraw=2&withdraw=3&withdraw=4&key=5:B&key=6:B"
	ended := make(chan struct{})
	var going sync.WaitGroup
	var mu sync.Mutex
	counts := make(map[int]int)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowd}}
	defer client.CloseIdleConnections()
	for range crowd {
		going.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				response, err := client.Get(target)
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
				mu.Lock()
				counts[response.StatusCode]++
				mu.Unlock()
			}
		})
	}
	eventually(t, "the crowd is there", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return counts[http.StatusOK] > crowd
	})
	for i := range rounds {
		o.accept(t, scanned(scan{"other", fmt.Sprint(i), "1", "2"}))
		for _, target := range []string{"/results/other/aggregate", "/results/a%2Fb/items"} {
			if got := o.get(t, target); got.status != http.StatusOK {
				t.Fatalf("%s amid the crowd: %d %s", target, got.status, got.body)
			}
		}
	}
	close(ended)
	going.Wait()
	for status := range counts {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("the crowd is told %v", counts)
		}
	}
}
