import Foundation

/// Where things are and how long to measure.
struct Settings {
  var root = "."
  var data = "benchmark-data"
  var python = "python3"
  var publicCode = ""
  var runs = 5
  /// A Markdown file with places for the tables.
  var report: String?
  /// Name and path of the checkpoints, small to large.
  var models: [(size: String, path: String)] = []
  /// Held-out bytes.
  var text: [Int] = []

  var executable: String { "\(root)/.build/release/hatchling" }
}
