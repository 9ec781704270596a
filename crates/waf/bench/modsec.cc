// Drives libmodsecurity for comparison. Built only by the bench and differential examples.
// Usage: modsec RULES-FILE verdict|bench COUNT < requests
// Input: for each request a decimal length, a newline, and that many bytes of raw HTTP.
// Output of verdict: status and last blocking rule per line. Of bench: microseconds of CPU per request.
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>
#include <algorithm>
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

struct Request {
    std::string method, target, version, body;
    std::vector<std::pair<std::string, std::string>> headers;
};

static Request parse(const std::string &raw) {
    Request r;
    size_t end = raw.find("\r\n\r\n");
    std::string head = raw.substr(0, end);
    if (end != std::string::npos) r.body = raw.substr(end + 4);
    size_t line_end = head.find("\r\n");
    std::string line = head.substr(0, line_end);
    size_t first = line.find(' '), last = line.rfind(' ');
    r.method = line.substr(0, first);
    r.target = line.substr(first + 1, last - first - 1);
    r.version = line.substr(last + 6);
    while (line_end != std::string::npos) {
        size_t next = head.find("\r\n", line_end + 2);
        std::string h = head.substr(line_end + 2, next == std::string::npos ? next : next - line_end - 2);
        size_t colon = h.find(": ");
        if (colon != std::string::npos) r.headers.push_back({h.substr(0, colon), h.substr(colon + 2)});
        line_end = next;
    }
    return r;
}

static std::string blocked_by;
static void log(void *, const void *message) {
    const char *text = static_cast<const char *>(message);
    const char *id = strstr(text, "[id \"");
    if (id && strstr(text, "Access denied")) blocked_by = std::string(id + 5, 6);
}

static int judge(modsecurity::ModSecurity *m, modsecurity::RulesSet *rules, const Request &r) {
    modsecurity::Transaction t(m, rules, nullptr);
    modsecurity::ModSecurityIntervention it;
    memset(&it, 0, sizeof it);
    it.status = 200;
    auto stop = [&]() {
        it.status = 200; it.url = nullptr; it.log = nullptr; it.disruptive = 0;
        bool yes = t.intervention(&it) && it.disruptive;
        free(it.url); free(it.log); it.url = nullptr; it.log = nullptr;
        return yes;
    };
    int status = 200;
    t.processConnection("127.0.0.1", 40000, "127.0.0.1", 80);
    t.processURI(r.target.c_str(), r.method.c_str(), r.version.c_str());
    for (auto &h : r.headers) t.addRequestHeader(h.first, h.second);
    t.processRequestHeaders();
    if (stop()) { status = it.status; }
    else {
        if (!r.body.empty()) t.appendRequestBody((const unsigned char *)r.body.data(), r.body.size());
        t.processRequestBody();
        if (stop()) { status = it.status; }
        else {
            t.addResponseHeader("Content-Type", "application/json");
            t.processResponseHeaders(200, "HTTP 1.1");
            if (stop()) status = it.status;
            t.processResponseBody();
            if (stop()) status = it.status;
        }
    }
    t.processLogging();
    return status;
}

static double cpu() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    modsecurity::ModSecurity m;
    m.setServerLogCb(log, modsecurity::TextLogProperty);
    modsecurity::RulesSet rules;
    double begun = cpu();
    if (rules.loadFromUri(argv[1]) < 0) { std::cerr << rules.getParserError() << "\n"; return 1; }
    std::cerr << "load_us " << cpu() - begun << "\n";
    std::vector<Request> requests;
    std::string length;
    while (std::getline(std::cin, length)) {
        std::string raw(std::stoul(length), '\0');
        std::cin.read(&raw[0], raw.size());
        requests.push_back(parse(raw));
    }
    bool bench = !strcmp(argv[2], "bench");
    int count = atoi(argv[3]);
    for (auto &r : requests) {
        if (!bench) {
            blocked_by.clear();
            int status = judge(&m, &rules, r);
            std::cout << status << " " << (blocked_by.empty() ? "-" : blocked_by) << "\n";
            continue;
        }
        double best = 1e18;
        for (int batch = 0; batch < 8; batch++) {
            double from = cpu();
            for (int i = 0; i < count; i++) judge(&m, &rules, r);
            best = std::min(best, (cpu() - from) / count);
        }
        std::cout << best << "\n";
    }
}
