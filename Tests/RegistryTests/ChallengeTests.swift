import Testing

@testable import Registry

@Suite struct ChallengeTests {
    @Test(arguments: [
        // One challenge.
        (#"Basic realm="Registry""#, #"basic realm=Registry"#),
        (#"basic realm=plain"#, #"basic realm=plain"#),
        (#"BASIC  Realm = "a b" , charset="UTF-8""#, #"basic charset=UTF-8 realm=a b"#),
        ("Basic", "basic"),
        // Commas, equal signs, escapes and other challenges' words inside of quotes.
        (
            #"Bearer realm="https://auth.example.com/token?a=1,2",service="registry.example.com",scope="repository:acme/shop:pull,push""#,
            "bearer realm=https://auth.example.com/token?a=1,2 scope=repository:acme/shop:pull,push service=registry.example.com"
        ),
        (#"Bearer realm="say \"Basic realm=x\", \\ twice""#, #"bearer realm=say "Basic realm=x", \ twice"#),
        // Unquoted, against the grammar.
        (
            "Bearer realm=https://auth.example.com/token,service=a",
            "bearer realm=https://auth.example.com/token service=a"
        ),
        // Several challenges, in one header or joined from several.
        (#"Basic realm="a", Bearer realm="b",service="c""#, "basic realm=a; bearer realm=b service=c"),
        (
            #"Bearer realm="b", error="invalid_token", Basic realm="a""#,
            "bearer error=invalid_token realm=b; basic realm=a"
        ),
        (#"Negotiate, Basic realm="a""#, "negotiate; basic realm=a"),
        (#"Negotiate oYG2==, NTLM, Basic realm="a""#, "negotiate; ntlm; basic realm=a"),
        (#", ,Basic realm="a",, "#, "basic realm=a"),
        // The first of two values counts.
        (#"Basic realm="a", realm="b""#, "basic realm=a"),
        // Broken off or no challenge at all: as far as it can be read.
        (#"Bearer realm="https://auth"#, "bearer realm=https://auth"),
        (#"Bearer realm="a\"#, #"bearer realm=a\"#),
        ("Bearer realm=", "bearer"),
        ("=x", ""),
        ("a=b", ""),
        ("", ""),
        ("\u{0}\u{7f}é", ""),
    ])
    func parses(_ header: String, _ expected: String) {
        let text = Challenge.parse(header).map { challenge in
            ([challenge.scheme] + challenge.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
                .joined(separator: " ")
        }
        #expect(text.joined(separator: "; ") == expected)
    }
}
