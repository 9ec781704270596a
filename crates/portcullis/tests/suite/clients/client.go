// What a program in Go does with `net/http` as it comes. Prints a line of JSON for each call.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
)

var client = &http.Client{}
var base string

func main() {
	base = os.Args[1]
	authority, key, weaker := os.Args[2], os.Args[3], os.Args[4]
	if authority != "" {
		pem, err := os.ReadFile(authority)
		must(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		client.Transport = transport
	}
	note := `{"title":"t"}`
	large := `{"title":"` + strings.Repeat("t", 4<<20) + `"}`
	call("get", "GET", "/v1/notes/1", key, "")
	call("post", "POST", "/v1/notes", key, note)
	call("put", "PUT", "/v1/notes/1", key, note)
	call("delete", "DELETE", "/v1/notes/1", key, "")
	call("head", "HEAD", "/v1/notes/1", key, "")
	call("options", "OPTIONS", "/v1/notes/1", key, "")
	call("too large", "POST", "/v1/notes", key, large)
	call("no key", "POST", "/v1/notes", "", large)
	call("no grant", "POST", "/v1/notes", weaker, large)
	call("no path", "POST", "/v1/nothing", key, large)
	told("chunks", "POST", "/v1/notes", key, io.MultiReader(strings.NewReader(note)))
	call("again", "GET", "/v1/notes/1", key, "")
	page := call("list", "GET", "/v1/pages?limit=1", key, "")
	for {
		next := regexp.MustCompile(`"next":"([^"]*)"`).FindStringSubmatch(page)
		if next == nil {
			return
		}
		page = call("next", "GET", "/v1/pages?limit=1&cursor="+next[1], key, "")
	}
}

func call(name, method, path, key, body string) string {
	if body == "" {
		return told(name, method, path, key, nil)
	}
	return told(name, method, path, key, bytes.NewReader([]byte(body)))
}

func told(name, method, path, key string, body io.Reader) string {
	request, err := http.NewRequest(method, base+path, body)
	must(err)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	must(err)
	text, err := io.ReadAll(answer.Body)
	must(err)
	field := func(name string) *string {
		if values := answer.Header.Values(name); len(values) > 0 {
			return &values[0]
		}
		return nil
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"name": name, "status": answer.StatusCode, "version": answer.Proto,
		"length": field("Content-Length"), "allow": field("Allow"), "body": string(text),
	}))
	return string(text)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
