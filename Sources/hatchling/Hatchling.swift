import ArgumentParser

@main
struct Hatchling: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "hatchling")
}
