import ArgumentParser
import Foundation

@main
struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures hatchling against peers on the same files in the same run.",
    discussion: "Run it through `make benchmark`, which builds everything and makes the larger networks.")

  @Option(
    help:
      "Tasks, comma-separated: bandwidth, step, streams, prefill, generate, start, curves, direct, training.")
  var only = "bandwidth,step,streams,prefill,generate,start,curves,direct,training"
  @Option(help: "Sizes, comma-separated: small, middle, large.")
  var sizes = "small,middle,large"
  @Option(help: "The small checkpoint; middle and large are lifted from it.")
  var model = "Benchmarks/small.safetensors"
  @Option(help: "Held-out text, at least 512 bytes.")
  var text = "Benchmarks/held-out.txt"
  @Option(help: "Folder with the lifted checkpoints; results are written here.")
  var data = "benchmark-data"
  @Option(help: "Python with PyTorch and SciPy for the peers.")
  var python = "python3"
  @Option(help: "Folder of the public code, with bdh.py.")
  var publicCode = ""
  @Option(help: "Rounds; medians are reported.")
  var runs = 5
  @Option(help: "Put the tables into this file, between its markers.")
  var report: String?

  func run() throws {
    signal(SIGPIPE, SIG_IGN)  // a peer that ends is reported, not died of
    var settings = Settings()
    (settings.data, settings.python, settings.publicCode) = (data, python, publicCode)
    (settings.runs, settings.report) = (runs, report)
    settings.text = try Data(contentsOf: URL(fileURLWithPath: text)).map(Int.init)
    guard settings.text.count >= Workload.prefillTokens else {
      throw ValidationError("'\(text)' has \(settings.text.count) bytes; 512 are needed")
    }
    let wanted = sizes.split(separator: ",").map(String.init)
    settings.models = [
      ("small", model), ("middle", "\(data)/middle.safetensors"), ("large", "\(data)/large.safetensors"),
    ].filter { wanted.contains($0.0) }
    let tasks = Set(only.split(separator: ",").map(String.init))
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    var results = Results()
    try Suite(settings: settings, tasks: tasks).run(&results)
    try results.keep(settings)
  }
}
