import ArgumentParser
import HatchlingCommands

struct MemoriseCorpusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memorise-corpus",
    abstract:
      "Writes the memorising task of §6.4: a fixed warm-up, then a random word, shown again and again.",
    discussion: """
      Episodes follow one another with nothing between them. What is shown first can only be memorised, what is shown again can be foretold \
      from the text alone. train learns the task, and activity --as-task measures what fires.
      """)

  @Option(help: ArgumentHelp("The text.", valueName: "file"))
  var out: String

  @Option(help: "How many episodes.")
  var episodes = 1000

  @OptionGroup var task: TaskFlags

  @Option(help: "Letters of the alphabet.")
  var letters = MemorisingTask().letters

  @Flag(help: "The control: every showing is another word, so nothing can be foretold.")
  var fresh = false

  @Option(help: "Decides the words.")
  var seed: UInt64 = 1

  func run() throws {
    var task = task.task
    (task.letters, task.isFresh) = (letters, fresh)
    let bytes = try task.write(episodes: episodes, seed: seed, to: out)
    Output.line(
      "\(grouped(episodes)) episodes of \(grouped(task.period)) letters, \(grouped(bytes)) bytes, written to \(out)"
    )
  }
}
