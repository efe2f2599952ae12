import ArgumentParser
import HatchlingCheckpoint
import HatchlingNumerics

struct TranslateCorpusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "translate-corpus",
    abstract: "Makes one translation stream of two aligned files (Appendix B.1).",
    discussion: """
      Line k of A and line k of B are one pair: <F:en>…<T:fr>… or <F:fr>…<T:en>…, the source language drawn per pair, nothing \
      between pairs. Lines end with LF or CRLF, the last may lack its ending, a byte-order mark is dropped. Pairs with an empty \
      side, and pairs whose text itself contains <F: or <T:, are left out and counted. The files may be of any size, and pipes.
      """)

  @Argument(help: ArgumentHelp("The sentences in the first language, one a line.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("The same sentences in the second language.", valueName: "b"))
  var second: String

  @Option(help: ArgumentHelp("The names of the two languages.", valueName: "en,fr"))
  var languages: String

  @Option(help: ArgumentHelp("The stream.", valueName: "file"))
  var out: String

  @Option(help: "Decides which language comes first in which pair.")
  var seed: UInt64 = 1

  private struct Count {
    var forward = 0
    var backward = 0
    var empty = 0
    var tagged = 0
    var bytes = 0
  }

  func run() throws {
    let names = try languageNames()
    guard !OutputPaths.isSame(out, first) && !OutputPaths.isSame(out, second) else {
      throw OptionError.bad("--out '\(out)' is one of the files to read; choose another name")
    }
    var (a, b) = (try LineReader(path: first), try LineReader(path: second))
    let file = try AtomicFile(path: out)
    var random = SeededRandom(seed: seed)
    var count = Count()
    var line = 0
    while true {
      let (left, right) = (try a.next(), try b.next())
      guard let left, let right else {
        try checkEqualCounts(line, &a, &b, isLeftThere: left != nil, isRightThere: right != nil)
        break
      }
      line += 1
      // Drawn for every line, so that a pair left out moves no other.
      let isForward = random.uniform() < 0.5
      guard !left.isEmpty && !right.isEmpty else {
        count.empty += 1
        continue
      }
      guard !TranslationTags.occur(in: left) && !TranslationTags.occur(in: right) else {
        count.tagged += 1
        continue
      }
      let pair =
        isForward
        ? TranslationTags.pair(names.0, left, names.1, right)
        : TranslationTags.pair(names.1, right, names.0, left)
      if isForward { count.forward += 1 } else { count.backward += 1 }
      count.bytes += pair.count
      try file.write(pair)
    }
    guard count.forward + count.backward > 0 else {
      throw OptionError.bad(
        "no pair is left of the \(grouped(line)) of '\(first)' and '\(second)': \(grouped(count.empty)) with an empty side, \(grouped(count.tagged)) with <F: or <T: in the text; nothing was written"
      )
    }
    try file.commit()
    report(count, names)
  }

  private func languageNames() throws -> (String, String) {
    let names = languages.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    func isName(_ name: String) -> Bool {
      !name.isEmpty
        && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
    }
    guard names.count == 2, names.allSatisfy(isName), names[0] != names[1] else {
      throw OptionError.bad(
        "--languages '\(languages)': two different names with a comma between them are needed, as in en,fr")
    }
    return (names[0], names[1])
  }

  /// Both files must have ended; otherwise the rest is counted, to name both lengths.
  private func checkEqualCounts(
    _ pairs: Int, _ a: inout LineReader, _ b: inout LineReader, isLeftThere: Bool, isRightThere: Bool
  ) throws {
    guard isLeftThere || isRightThere else { return }
    var (left, right) = (pairs + (isLeftThere ? 1 : 0), pairs + (isRightThere ? 1 : 0))
    while isLeftThere, try a.next() != nil { left += 1 }
    while isRightThere, try b.next() != nil { right += 1 }
    throw OptionError.bad(
      "'\(first)' has \(left) lines and '\(second)' has \(right); aligned files have the same number of lines"
    )
  }

  private func report(_ count: Count, _ names: (String, String)) {
    Output.line(
      "\(grouped(count.forward + count.backward)) pairs, \(grouped(count.bytes)) bytes, written to \(out)")
    Output.line(
      "\(names.0) → \(names.1) \(grouped(count.forward)), \(names.1) → \(names.0) \(grouped(count.backward))")
    if count.empty + count.tagged > 0 {
      Output.line(
        "left out: \(grouped(count.empty)) with an empty side, \(grouped(count.tagged)) with a tag in the text"
      )
    }
  }
}
