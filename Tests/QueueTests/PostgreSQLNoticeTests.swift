import Model
import Testing

@testable import Queue

struct PostgreSQLNoticeTests {
    @Test
    func othersHearWhatIsTold() {
        let topics: [ChangeTopic] = [.pending, .build(12), .stop(12), .stop(7)]
        let texts = PostgreSQLNotice.texts(topics, from: "1")
        #expect(texts == ["1:12,p,s12,s7"])
        #expect(Set(texts.flatMap { PostgreSQLNotice.topics(of: $0, except: "2") }) == Set(topics))
        #expect(texts.flatMap { PostgreSQLNotice.topics(of: $0, except: "1") }.isEmpty)
    }

    @Test
    func manyAreSeveralNotices() {
        let topics = (Int64.max - 999...Int64.max).map { ChangeTopic.stop(Build.ID($0)) }
        let texts = PostgreSQLNotice.texts(topics, from: "\(UInt32.max)")
        #expect(texts.allSatisfy { $0.utf8.count < 8000 })
        #expect(Set(texts.flatMap { PostgreSQLNotice.topics(of: $0, except: "2") }) == Set(topics))
    }

    @Test(arguments: ["", "1", "1:", "x:y", "1:s", "1:s-", "1:pp,sp,99999999999999999999"])
    func whatIsNoNoticeIsNothing(text: String) {
        #expect(PostgreSQLNotice.topics(of: text, except: "2").isEmpty)
    }
}
