import Foundation
import TestSupport
import Testing

@testable import Queue

@Suite struct MigrationTests {
    private static let two = [
        Migration(number: 1, sql: "CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1)"),
        Migration(number: 2, sql: "CREATE TABLE two (b INTEGER); INSERT INTO two SELECT a + 1 FROM one"),
    ]

    private func withDatabase(_ body: (Database) throws -> Void) async throws {
        try await withFolder { try body(Database(path: $0 + "/test.db", access: .readWrite)) }
    }

    private func version(_ database: Database) throws -> Int? {
        try database.first("PRAGMA user_version") { try $0.get("user_version", as: Int.self) }
    }

    @Test func eachIsRunOnceFromEmpty() async throws {
        try await withDatabase { database in
            try Migration.run(Self.two, on: database)
            try Migration.run(Self.two, on: database)
            #expect(try version(database) == 2)
            #expect(try database.all("SELECT b FROM two") { try $0.get("b", as: Int.self) } == [2])
        }
    }

    @Test func aStepTakesUpWhereTheLastVersionEnded() async throws {
        try await withDatabase { database in
            try Migration.run([Self.two[0]], on: database)
            try database.script("UPDATE one SET a = 5")
            try Migration.run(Self.two, on: database)
            #expect(try database.all("SELECT b FROM two") { try $0.get("b", as: Int.self) } == [6])
        }
    }

    @Test func aStepThatFailsLeavesNothing() async throws {
        try await withDatabase { database in
            let bad = Migration(number: 2, sql: "CREATE TABLE two (b INTEGER); INSERT INTO nowhere VALUES (1)")
            #expect(throws: StoreError.self) { try Migration.run([Self.two[0], bad], on: database) }
            #expect(try version(database) == 1)
            try Migration.run(Self.two, on: database)
            #expect(try version(database) == 2)
        }
    }

    @Test func aNewerDatabaseIsLeftAlone() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            try await SQLiteStore.open(path: path, time: ManualTime()).close()
            try Database(path: path, access: .readWrite).script("PRAGMA user_version = 99")
            let error = await #expect(throws: StoreError.self) {
                _ = try await SQLiteStore.open(path: path, time: ManualTime())
            }
            #expect(error?.description.contains("its schema is number 99") == true)
            #expect(error?.description.contains("run a newer slipway") == true)
        }
    }

    @Test func theSchemasNumbersGrow() {
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    }
}
