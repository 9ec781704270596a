// What a program in Java does with `java.net.http.HttpClient` as it comes. Prints a line of JSON for each call.
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Client {
    static HttpClient client;
    static String base;

    public static void main(String[] arguments) throws Exception {
        base = arguments[0];
        client = made(arguments[1]);
        String key = arguments[2], weaker = arguments[3];
        String note = "{\"title\":\"t\"}", large = "{\"title\":\"" + "t".repeat(4 << 20) + "\"}";
        call("get", "GET", "/v1/notes/1", key, null);
        call("post", "POST", "/v1/notes", key, BodyPublishers.ofString(note));
        call("put", "PUT", "/v1/notes/1", key, BodyPublishers.ofString(note));
        call("delete", "DELETE", "/v1/notes/1", key, null);
        call("head", "HEAD", "/v1/notes/1", key, null);
        call("options", "OPTIONS", "/v1/notes/1", key, null);
        call("too large", "POST", "/v1/notes", key, BodyPublishers.ofString(large));
        call("no key", "POST", "/v1/notes", "", BodyPublishers.ofString(large));
        call("no grant", "POST", "/v1/notes", weaker, BodyPublishers.ofString(large));
        call("no path", "POST", "/v1/nothing", key, BodyPublishers.ofString(large));
        call("chunks", "POST", "/v1/notes", key, BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(note.getBytes())));
        call("again", "GET", "/v1/notes/1", key, null);
        String page = call("list", "GET", "/v1/pages?limit=1", key, null);
        for (;;) {
            Matcher next = Pattern.compile("\"next\":\"([^\"]*)\"").matcher(page);
            if (!next.find()) break;
            page = call("next", "GET", "/v1/pages?limit=1&cursor=" + next.group(1), key, null);
        }
        System.exit(0);
    }

    static HttpClient made(String authority) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder();
        if (!authority.isEmpty()) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            try (var pem = Files.newInputStream(Path.of(authority))) {
                trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            builder.sslContext(context);
        }
        return builder.build();
    }

    static String call(String name, String method, String path, String key, BodyPublisher body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
        request.method(method, body == null ? BodyPublishers.noBody() : body);
        if (!key.isEmpty()) request.header("Authorization", "Bearer " + key);
        if (body != null) request.header("Content-Type", "application/json");
        HttpResponse<String> answer = client.send(request.build(), BodyHandlers.ofString());
        System.out.printf(
            "{\"name\":\"%s\",\"status\":%d,\"version\":\"%s\",\"length\":%s,\"allow\":%s,\"body\":%s}%n",
            name, answer.statusCode(), answer.version(), quoted(answer, "content-length"), quoted(answer, "allow"), text(answer.body()));
        return answer.body();
    }

    static String quoted(HttpResponse<String> answer, String field) {
        return answer.headers().firstValue(field).map(Client::text).orElse("null");
    }

    static String text(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
