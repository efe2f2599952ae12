import ArgumentParser
import HatchlingCommands

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

  func run() throws {
    let names = languages.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let corpus: TranslationCorpus
    do {
      corpus = try TranslationCorpus(first: first, second: second, languages: names)
    } catch {
      throw ValidationError(
        "--languages '\(languages)': two different names with a comma between them are needed, as in en,fr")
    }
    let count = try corpus.write(to: out, seed: seed, progress: shownProgress())
    Output.line("\(grouped(count.pairs)) pairs, \(grouped(count.bytes)) bytes, written to \(out)")
    Output.line(
      "\(names[0]) → \(names[1]) \(grouped(count.forward)), \(names[1]) → \(names[0]) \(grouped(count.backward))"
    )
    if count.empty + count.tagged > 0 {
      Output.line(
        "left out: \(grouped(count.empty)) with an empty side, \(grouped(count.tagged)) with a tag in the text"
      )
    }
  }
}
