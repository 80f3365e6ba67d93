// The bench's peer in Go: the first handlers of bench/app.lua with net/http and nothing else. Same bodies and headers.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const body = "Hello, World!"

func send(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Write([]byte(text))
}

func hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	send(w, "text/plain; charset=utf-8", body)
}

func user(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/users/"))
	if err != nil || id < 1 {
		http.NotFound(w, r)
		return
	}
	if uid, err := r.Cookie("uid"); err == nil {
		w.Header().Set("X-User", uid.Value)
	}
	w.Header().Set("X-Color", r.URL.Query().Get("color"))
	send(w, "text/plain; charset=utf-8", body)
}

func message(w http.ResponseWriter, r *http.Request) {
	text, err := json.Marshal(map[string]string{"message": body})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, "application/json", string(text))
}

var (
	lock   sync.Mutex
	counts = map[string]int{}
)

func count(w http.ResponseWriter, r *http.Request) {
	lock.Lock()
	counts["visits"]++
	lock.Unlock()
	send(w, "text/plain; charset=utf-8", body)
}

func main() {
	http.HandleFunc("/", hello)
	http.HandleFunc("/users/", user)
	http.HandleFunc("/message", message)
	http.HandleFunc("/count", count)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
