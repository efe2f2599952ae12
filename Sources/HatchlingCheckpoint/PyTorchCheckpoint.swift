enum PyTorchCheckpoint {
  static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
    throw .unsupported(path: file.path, what: "PyTorch archives")
  }
}
