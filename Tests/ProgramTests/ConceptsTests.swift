import Foundation
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// The command `concepts`, from outside.
@Suite struct ConceptsTests {
  private struct Place {
    let folder: TemporaryFolder
    let model, with, without, text: String

    init() throws {
      folder = try TemporaryFolder()
      let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
      model = folder.path("m.safetensors")
      try Weights.random(sizes, seed: 1).save(to: model)
      with = try folder.write("with", Array("king\nqueen\nduke\nprince\n".utf8))
      without = try folder.write("without", Array("dog\nhorse\nbird\nsheep\n".utf8))
      var lines: [String] = []
      for (index, word) in ["king", "queen", "duke", "prince", "dog", "horse", "bird", "sheep"].enumerated() {
        for number in 0..<12 {
          lines.append("This <\(number)> & that \(word) was seen \(index * number) times.")
        }
      }
      text = try folder.write("text", Array(lines.joined(separator: "\n").utf8))
    }

    func run(_ options: [String]) throws -> CommandRun {
      try CommandRun.run(
        ["concepts", "--model", model, "--count", "10", "--permutations", "19"] + options)
    }

    func words(_ options: String...) throws -> CommandRun {
      try run(["--words-with", with, "--words-without", without, "--text", text] + options)
    }
  }

  @Test func tableJSONAndPages() throws {
    let place = try Place()
    let table = try place.words("--out", place.folder.path("out"), "--top", "2", "--threads", "1")
    #expect(table.status == 0, "\(table.errors)")
    for part in [
      "search          10 + 10 sentences", "held-out words", "pair trained", "y untrained", "x shuffled",
      "n-gram", "n-gram in window",
      "case, length", "linear probe trained", "permuted words", "Benjamini", "verdict         ",
    ] {
      #expect(table.output.contains(part), "\(part)")
    }
    #expect(
      Set(try FileManager.default.contentsOfDirectory(atPath: place.folder.path("out"))) == [
        "concepts.json", "synapse-1.svg", "synapse-2.svg",
      ])
    let page = try place.folder.text("out/synapse-1.svg")
    #expect(page.hasPrefix("<svg") && page.contains("&amp;") && page.contains("&lt;") && page.contains("●"))
    #expect(
      !page.replacing("&amp;", with: "").replacing("&lt;", with: "").replacing("&gt;", with: "").contains("&")
    )
    let json = try place.words("--json", "--threads", "2")
    let printed = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let written =
      try JSONSerialization.jsonObject(with: Data(try place.folder.text("out/concepts.json").utf8))
      as? [String: Any]
    let (one, two) = (try #require(printed), try #require(written))
    for key in ["verdict", "results", "sentences", "null", "tallies"] {
      #expect((one[key] as? NSObject) == (two[key] as? NSObject) && one[key] != nil, "\(key)")
    }
    let results = try #require(one["results"] as? [[String: Any]])
    #expect(results.count == 15 && results.allSatisfy { ($0["splits"] as? [Any])?.count == 3 })
  }

  @Test func readySentencesAndOtherTexts() throws {
    let place = try Place()
    func lines(_ words: [String]) -> [UInt8] {
      Array(
        words.flatMap { word in (0..<30).map { "\(word)\tso many \(word) as \($0)" } }.joined(separator: "\n")
          .utf8)
    }
    let with = try place.folder.write("s", lines(["king", "queen"]))
    let without = try place.folder.write("t", lines(["dog", "cat"]))
    let run = try place.run([
      "--sentences-with", with, "--sentences-without", without, "--only-this-network", "--other-with",
      place.with,
      "--other-without", place.without, "--other-text", place.text,
    ])
    #expect(run.status == 0 && run.output.contains("other text      10 + 10"), "\(run.errors)\(run.output)")
    #expect(!run.output.contains("untrained"))
  }

  @Test func badInputIsOneLine() throws {
    let place = try Place()
    func file(_ name: String, _ text: String) throws -> String {
      try place.folder.write(name, Array(text.utf8))
    }
    func words(_ with: String, _ without: String, _ text: String) throws -> CommandRun {
      try place.run(["--words-with", with, "--words-without", without, "--text", text])
    }
    let empty = try file("empty", "\n\n")
    #expect(try words(empty, place.without, place.text).isOneLine("empty", "holds no word", "--words-with"))
    #expect(
      try words(try file("two", "a b\n"), place.without, place.text).isOneLine(
        "'a b' is not one word", "line 1"))
    #expect(
      try words(place.with, place.with, place.text).isOneLine("'king' stands in both", "--words-without"))
    #expect(
      try words(try file("absent", "xyzzy\n"), place.without, place.text).isOneLine(
        "absent", "no word of", "--text"))
    #expect(
      try words(place.with, place.without, try file("short", "A king was here today. A dog was here today."))
        .isOneLine("only", "--text"))
    #expect(try words(place.folder.path("none"), place.without, place.text).isOneLine("none"))
    #expect(try words(place.with, place.without, place.folder.path("none")).isOneLine("none"))
    #expect(
      try place.run(["--sentences-with", empty, "--sentences-without", place.text]).isOneLine(
        "holds no sentence", "--sentences-with"))
    #expect(
      try place.run([
        "--sentences-with", try file("tab", "x\tno such word is in here"), "--sentences-without", place.text,
      ])
      .isOneLine("before the tab"))
    #expect(try place.run([]).isOneLine("--words-with", "--sentences-with"))
    #expect(try place.words("--sentences-with", place.text).isOneLine("--sentences-with"))
    #expect(try place.words("--other-with", place.with).isOneLine("--other-text"))
    #expect(try place.words("--permutations", "5").isOneLine("permutations 5", "--permutations"))
    #expect(try place.words("--count", "9").isOneLine("--count", "9"))
    #expect(try place.words("--held-out-words", "1").isOneLine("--held-out-words"))
    #expect(try place.words("--min-length", "50", "--max-length", "40").isOneLine("--min-length 50"))
    #expect(try place.words("--out", place.text).isOneLine("text"))
    // A network that overflows says where; one that is not a number is not loaded.
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
    var flat = sizes
    flat.layers = 1
    let shallow = place.folder.path("shallow.safetensors")
    try Weights.random(flat, seed: 1).save(to: shallow)
    #expect(try place.words("--model", shallow).isOneLine("at least 2 layers"))
    for (name, value) in [("large", Float(3e38)), ("nan", .nan)] {
      var weights = Weights.random(sizes, seed: 1)
      weights.decoderX = weights.decoderX.map { _ in value }
      let bad = place.folder.path("\(name).safetensors")
      try weights.save(to: bad)
      #expect(
        try place.words("--model", bad).isOneLine(name == "nan" ? "nan.safetensors" : "not a"), "\(name)")
    }
  }
}
