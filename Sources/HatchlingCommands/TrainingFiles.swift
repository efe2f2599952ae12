import HatchlingNumerics

/// What a file of a training run is for.
public enum TrainingFile: String, Equatable, Sendable {
  case text = "the text"
  case initialModel = "the initial model"
  case model = "the model"
  case checkpoint = "the checkpoint of the model"
  case resumed = "the checkpoint that the run goes on from"
  case log = "the log"
  case emergenceLog = "the topology log"
}

/// Files that a training run cannot have.
public enum TrainingFileError: InputError, Equatable {
  /// `ending` without its dot; `what` says what the file is.
  case badName(TrainingFile, path: String, what: String, ending: String)
  case overwrites(TrainingFile, path: String, TrainingFile)

  public var description: String { description { $0.rawValue } }

  /// With other names of files.
  package func description(naming name: (TrainingFile) -> String) -> String {
    switch self {
    case .badName(let file, let path, let what, let ending):
      "\(name(file)) '\(path)': \(what), name it .\(ending)"
    case .overwrites(let file, let path, let other):
      "\(name(file)) would overwrite '\(path)', which is \(name(other)); name another file"
    }
  }
}

extension TrainingRequest {
  /// Whether the run's files are named well and apart: nothing that it writes may be what it reads, or written twice.
  func checkFiles() throws(TrainingFileError) {
    func require(_ file: TrainingFile, _ path: String?, _ what: String, _ ending: String)
      throws(TrainingFileError)
    {
      guard let path, !path.hasSuffix(".\(ending)") else { return }
      throw .badName(file, path: path, what: what, ending: ending)
    }
    try require(.model, out, "the model is a safetensors file", "safetensors")
    try require(.log, log, "the log is CSV", "csv")
    try require(.emergenceLog, emergenceLog, "the log is CSV", "csv")
    var read = texts.filter { $0 != "-" }.map { (TrainingFile.text, $0) }
    if case .model(let path, _) = beginning { read.append((.initialModel, path)) }
    var written = [(TrainingFile.model, out), (.checkpoint, checkpointPath)]
    for (file, log) in [(TrainingFile.log, log), (.emergenceLog, emergenceLog)] {
      guard let log else { continue }
      // Pictures, their data and commands lie beside the log.
      for ending in [".csv", ".svg", ".png", ".gp", ".dat", "-training.dat", "-held-out.dat"] {
        written.append((file, String(log.dropLast(4)) + ending))
      }
    }
    for (index, (file, path)) in written.enumerated() {
      for (other, second) in read + written[..<index] where OutputPaths.isSame(path, second) {
        throw .overwrites(file, path: second, other)
      }
    }
    // The checkpoint that a run goes on from is replaced by its later ones, but by nothing else.
    guard case .checkpoint(let resumed) = beginning else { return }
    for (file, path) in written where file != .checkpoint && OutputPaths.isSame(path, resumed) {
      throw .overwrites(file, path: resumed, .resumed)
    }
  }
}
