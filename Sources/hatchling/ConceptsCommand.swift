import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingConcepts
import HatchlingNumerics

struct ConceptsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "concepts",
    abstract: "Searches all pairs of neurons for a concept, and says what the best one detects.",
    discussion: """
      Sentences with a word of one list are matched, in length, place and case of the word, with sentences that have one of another \
      list. All pairs (y of a layer, x of the next) are ranked exactly; the best is tried on new sentences, on words that the search \
      never saw, and on another text, beside single neurons, n-grams, capitals, a linear probe, an untrained network and one with \
      shuffled neurons. The verdict is concept, word detector, letter detector or nothing. docs/concepts.md has the rule.
      """)

  @OptionGroup var model: ModelOptions

  @OptionGroup(title: "Sentences") var sources: ConceptSources

  @OptionGroup(title: "Another text, on which the best are tried too") var other: OtherSources

  @Option(help: ArgumentHelp("Sentences with, and as many without, per set.", valueName: "n"))
  var count = 100

  @Option(help: "Seed of what is drawn.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("The part of the words that the search never sees.", valueName: "share"))
  var heldOutWords = 0.5

  @Option(help: ArgumentHelp("Tokens behind the word that belong to its window.", valueName: "k"))
  var window = 4

  @Option(
    help: ArgumentHelp("Searches among permuted sentences, and as many among permuted words.", valueName: "n")
  )
  var permutations = 50

  @Flag(help: "Leave out the untrained network and the one with shuffled neurons.")
  var onlyThisNetwork = false

  @Option(help: ArgumentHelp("Synapses that are listed, and drawn with --out.", valueName: "n"))
  var top = 5

  @OptionGroup var threads: ThreadOptions

  @Option(
    help: ArgumentHelp("Write concepts.json and a page per synapse into this folder.", valueName: "dir"))
  var out: String?

  @Flag(help: "JSON instead of the table.")
  var json = false

  func validate() throws {
    try require((1...20).contains(top), "--top \(top): between 1 and 20")
    _ = try options()
    _ = try files()
  }

  private func options() throws -> ConceptOptions {
    var options = ConceptOptions()
    do {
      options.sentences = try SentenceOptions(count: count, seed: seed, heldOutShare: heldOutWords)
      (options.permutations, options.window) = (permutations, window)
      (options.comparesNetworks, options.top) = (!onlyThisNetwork, top)
      try options.check()
    } catch {
      throw ValidationError(FlagAdvice.message(for: error))
    }
    return options
  }

  private func files() throws -> ConceptFiles {
    let lengths = (shortest: sources.minLength, longest: sources.maxLength)
    try require(
      lengths.shortest >= 1 && lengths.longest >= lengths.shortest && lengths.longest <= 4096,
      "--min-length \(lengths.shortest) and --max-length \(lengths.longest): at least 1, in this order, and at most 4096"
    )
    return ConceptFiles(
      try sources.source(), other: try other.source(byLine: sources.lines),
      lengths: lengths.shortest...lengths.longest)
  }

  func run() throws {
    let (options, files) = (try options(), try files())
    try OutputPaths.check([], folders: [out])
    if let out {
      try OutputPaths.check(
        ConceptReport.files(in: out, top: top).filter { access($0.systemPath, F_OK) == 0 },
        reading: [model.model] + files.all)
    }
    let workers = threads.workers
    let sentences = try files.sets(options.sentences)
    let loaded = try model.load(workers: workers).model()
    let study = try ConceptStudy(sentences.sets, options, workers: workers, progress: shownProgress())
    let report = ConceptReport(try study.run(loaded.weights), sentences)
    if json { try Output.json(report.json) } else { Output.lines(report.lines) }
    if let out { for line in try report.write(into: out) { note(line) } }
  }
}

/// Word lists and texts, or ready sentences.
struct ConceptSources: ParsableArguments {
  @Option(help: ArgumentHelp("Words of the concept, one per line.", valueName: "file"))
  var wordsWith: String?

  @Option(help: ArgumentHelp("Words of other things, one per line.", valueName: "file"))
  var wordsWithout: String?

  @Option(help: ArgumentHelp("A text in which the words are looked for. Repeatable.", valueName: "file"))
  var text: [String] = []

  @Flag(help: "Every line of a text is a sentence; otherwise one ends after . ! ? or at an empty line.")
  var lines = false

  @Option(
    help: ArgumentHelp(
      "Instead: ready sentences, one per line, each perhaps after its word and a tab.", valueName: "file"))
  var sentencesWith: String?

  @Option(help: ArgumentHelp("The same without the concept.", valueName: "file"))
  var sentencesWithout: String?

  @Option(help: ArgumentHelp("Sentences of at least this many bytes.", valueName: "bytes"))
  var minLength = 16

  @Option(help: ArgumentHelp("Sentences of at most this many bytes.", valueName: "bytes"))
  var maxLength = 200

  func source() throws -> ConceptFiles.Source {
    if let wordsWith, let wordsWithout {
      try require(
        sentencesWith == nil && sentencesWithout == nil,
        "--sentences-with: give either word lists and texts or ready sentences")
      try require(!text.isEmpty, "--text: a text is needed in which the words are looked for")
      return .words(with: wordsWith, without: wordsWithout, texts: text, byLine: lines)
    }
    guard let sentencesWith, let sentencesWithout, wordsWith == nil, wordsWithout == nil else {
      throw ValidationError(
        "give --words-with, --words-without and --text, or --sentences-with and --sentences-without")
    }
    try require(text.isEmpty, "--text: ready sentences need no text")
    return .sentences(with: sentencesWith, without: sentencesWithout)
  }
}

struct OtherSources: ParsableArguments {
  @Option(help: ArgumentHelp("Words of the concept there.", valueName: "file"))
  var otherWith: String?

  @Option(help: ArgumentHelp("Words of other things there.", valueName: "file"))
  var otherWithout: String?

  @Option(help: ArgumentHelp("The text. Repeatable.", valueName: "file"))
  var otherText: [String] = []

  func source(byLine: Bool) throws -> ConceptFiles.Source? {
    if otherWith == nil, otherWithout == nil, otherText.isEmpty { return nil }
    guard let otherWith, let otherWithout, !otherText.isEmpty else {
      throw ValidationError("--other-with, --other-without and --other-text go together; give all three")
    }
    return .words(with: otherWith, without: otherWithout, texts: otherText, byLine: byLine)
  }
}
