import Foundation
import TestSupport
import Testing

/// The translation stream of Appendix B.1, and the loss on its translated side.
@Suite struct TranslationTests {
  private func corpus(_ a: String, _ b: String, _ out: String, _ more: String...) throws -> CommandRun {
    try CommandRun.run(["translate-corpus", a, b, "--languages", "en,fr", "--out", out] + more)
  }

  /// (English, French) of every pair of a stream, and how many begin with English.
  private func pairs(_ stream: String) throws -> (pairs: [String], forward: Int) {
    var (result, forward) = ([String](), 0)
    for piece in stream.components(separatedBy: "<F:").dropFirst() {
      let sides = piece.components(separatedBy: "<T:")
      try #require(sides.count == 2)
      let isForward = sides[0].hasPrefix("en>") && sides[1].hasPrefix("fr>")
      try #require(isForward || sides[0].hasPrefix("fr>") && sides[1].hasPrefix("en>"))
      let texts = sides.map { String($0.dropFirst(3)) }
      result.append(isForward ? texts[0] + "\u{1}" + texts[1] : texts[1] + "\u{1}" + texts[0])
      if isForward { forward += 1 }
    }
    return (result, forward)
  }

  @Test(.enabled(if: sharedData != nil, "the Europarl texts are not there"))
  func europarlHoldsTheSamePairsAsTheReferenceStream() throws {
    let data = try #require(sharedData)
    let folder = try TemporaryFolder()
    let (a, b) = (
      data.appendingPathComponent("europarl.en").path, data.appendingPathComponent("europarl.fr").path
    )
    let run = try corpus(a, b, folder.path("stream"), "--seed", "7")
    #expect(run.status == 0 && run.errors.isEmpty && run.output.contains("2 994 pairs"))
    let made = try pairs(try folder.text("stream"))
    let reference = try pairs(
      String(decoding: Data(contentsOf: data.appendingPathComponent("europarl-en-fr.txt")), as: UTF8.self))
    // The order of pairs is that of the files; only who comes first is drawn, about half each way.
    #expect(made.pairs.count == 2994 && made.pairs == reference.pairs)
    #expect((1300...1700).contains(made.forward))
    #expect(try corpus(a, b, folder.path("again"), "--seed", "7").status == 0)
    #expect(try folder.text("again") == folder.text("stream"))
    #expect(try corpus(a, b, folder.path("other"), "--seed", "8").status == 0)
    #expect(try folder.text("other") != folder.text("stream"))
  }

  @Test func lineEndingsMarksAndEmptyLines() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "lang ", count: 40_000)
    let a = try folder.write("a", "\u{FEFF}one\r\n\r\nthree\r\nfour <T:xx>\r\n\(long)\r\nsix".utf8)
    let b = try folder.write("b", "un\ndeux\ntrois\nquatre\n\(long)\nsix\n".utf8)
    let run = try corpus(a, b, folder.path("out"))
    #expect(run.status == 0 && run.output.contains("left out: 1 with an empty side, 1 with a tag"))
    #expect(
      try pairs(try folder.text("out")).pairs
        == ["one\u{1}un", "three\u{1}trois", long + "\u{1}" + long, "six\u{1}six"])
  }

  @Test func unequalFilesAndBadUseAreErrorsAndWriteNothing() throws {
    let folder = try TemporaryFolder()
    let a = try folder.write("a", "1\n2\n3\n4\n5\n".utf8)
    let b = try folder.write("b", "1\n2\n3".utf8)
    let empty = try folder.write("empty", "".utf8)
    let out = try folder.write("out", "precious".utf8)
    #expect(try corpus(a, b, out).isOneLine("'\(a)' has 5 lines", "'\(b)' has 3"))
    #expect(try corpus(b, a, out).isOneLine("'\(b)' has 3 lines", "'\(a)' has 5"))
    #expect(try corpus(a, empty, out).isOneLine("has 0"))
    #expect(try corpus(empty, empty, out).isOneLine("no pair"))
    #expect(try corpus(a, folder.path("none"), out).isOneLine("none"))
    #expect(try corpus(a, folder.url.path, out).isOneLine("directory"))
    #expect(try corpus(a, b, a).isOneLine("one of the files to read"))
    for names in ["en", "en,en", "en,", "e n,fr", "en,fr,pt", "<en,fr"] {
      let run = try CommandRun.run(["translate-corpus", a, a, "--languages", names, "--out", out])
      #expect(run.isOneLine("--languages"), "\(names)")
    }
    #expect(try folder.text("out") == "precious")
    #expect(folder.names == ["a", "b", "empty", "out"])
  }

  private func step(_ text: String, _ tag: String, _ more: String...) throws -> CommandRun {
    try CommandRun.run(["step", "--text", text, "--only-after", tag, "--json"] + more)
  }

  private func objects(_ run: CommandRun) throws -> [[String: Any]] {
    try run.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// By hand: in `ab<T:fr>cd<F:en>e<T:en>f` the translated bytes are c, d and f.
  @Test(arguments: [
    ("ab<T:fr>cd<F:en>e<T:en>f", "<T:", [8, 9, 23]), ("ab<T:fr>cd<F:en>e<T:en>f", "<T:fr>", [8, 9]),
    ("ab<T:fr>cd<F:en>e<T:en>f", "<F:", [16]), ("x<T:<y<T:a>z<T:", "<T:", [11]), ("k=1<T:=2", "=", [2, 7]),
  ])
  func onlyTheTranslatedSideCounts(text: String, tag: String, places: [Int]) throws {
    let lines = try objects(try step(text, tag))
    let tokens = lines.dropLast()
    #expect(tokens.count == text.utf8.count)
    #expect(tokens.indices.filter { tokens[$0]["scored"] as? Bool == true } == places)
    #expect(tokens.allSatisfy { $0["scored"] is Bool })
    let losses = try places.map { try #require(tokens[$0]["loss"] as? Double) }
    let summary = try #require(lines.last?["summary"] as? [String: Any])
    let loss = try #require(summary["loss"] as? Double)
    #expect(abs(loss - losses.reduce(0, +) / Double(losses.count)) < 1e-12)
    #expect(summary["scored_tokens"] as? Int == places.count && summary["tokens"] as? Int == text.utf8.count)
    let quiet = try objects(try step(text, tag, "--quiet"))
    #expect(quiet.count == 1)
    #expect((quiet[0]["summary"] as? [String: Any])?["loss"] as? Double == loss)
  }

  @Test func aTagThatIsNotThereIsAnError() throws {
    #expect(try step("no tags at all", "<T:").isOneLine("--only-after", "<T:"))
    #expect(try step("ends with <T:en>", "<T:").isOneLine("--only-after"))
    #expect(try step("text", "").isOneLine("--only-after"))
    let plain = try objects(try CommandRun.run(["step", "--text", "ab", "--json"]))
    #expect(plain[0]["scored"] == nil && (plain[2]["summary"] as? [String: Any])?["only_after"] == nil)
  }
}
