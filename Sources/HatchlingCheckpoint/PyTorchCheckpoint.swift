/// Reads what `torch.save` writes: a zip archive with a pickle that names tensors, and one entry per storage.
enum PyTorchCheckpoint {
  static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
    let archive = try ZipArchive(file)
    guard let (name, range) = archive.entry(endingIn: "data.pkl") else {
      throw .unsupported(
        path: file.path, what: "this zip archive holds no data.pkl; it was not made by torch.save")
    }
    if let order = archive.entry(endingIn: "byteorder"), !file.bytes[order.range].elementsEqual("little".utf8)
    {
      throw .unsupported(path: file.path, what: "its numbers are big-endian")
    }
    var unpickler = Unpickler(UnsafeRawBufferPointer(rebasing: file.bytes[range]), path: file.path)
    defer { unpickler.takeApart() }
    let root = try unpickler.run()
    var collector = Collector(file: file, archive: archive, folder: String(name.dropLast("data.pkl".count)))
    try collector.collect(root, name: "", depth: 0)
    return CheckpointFile(path: file.path, tensors: collector.tensors, metadata: collector.metadata)
  }

  /// Flattens nested dictionaries to dotted names; texts and numbers become metadata.
  private struct Collector {
    let file: MappedFile
    let archive: ZipArchive
    let folder: String
    var tensors: [String: TensorView] = [:]
    var metadata: [String: String] = [:]
    /// Visits so far: a dictionary may appear many times in a hostile file, even inside itself.
    var visits = 0

    mutating func collect(_ value: PickleValue, name: String, depth: Int) throws(CheckpointError) {
      visits += 1
      guard depth <= 16, visits <= 1_000_000 else {
        throw .damaged(
          path: file.path, place: "key '\(name)'", problem: "its dictionaries are nested too deeply")
      }
      switch value {
      case .dictionary(let dictionary):
        for (key, value) in dictionary.entries {
          guard let key = Self.key(key) else { continue }
          try collect(value, name: name.isEmpty ? key : "\(name).\(key)", depth: depth + 1)
        }
      case .tensor(let tensor): tensors[name] = try view(tensor, name)
      case .text(let text): metadata[name] = text
      case .integer(let number): metadata[name] = String(number)
      case .number(let number): metadata[name] = String(number)
      case .bool(let truth): metadata[name] = String(truth)
      default: break
      }
    }

    private static func key(_ value: PickleValue) -> String? {
      switch value {
      case .text(let text): text
      case .integer(let number): String(number)
      default: nil
      }
    }

    private func view(_ tensor: StoredTensor, _ name: String) throws(CheckpointError) -> TensorView {
      func damaged(_ problem: String) -> CheckpointError {
        .damaged(path: file.path, place: "key '\(name)'", problem: problem)
      }
      guard let range = archive.entries["\(folder)data/\(tensor.key)"] else {
        throw damaged("the entry data/\(tensor.key) with its numbers is missing")
      }
      let (needed, overflow) = tensor.storageCount.multipliedReportingOverflow(by: tensor.type.size)
      guard !overflow, needed <= range.count, let base = file.bytes.baseAddress else {
        throw damaged("its storage claims \(tensor.storageCount) numbers, the entry has \(range.count) bytes")
      }
      var count = 1
      for size in tensor.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        // A stride of 0 repeats numbers; more than the storage holds is not a weight.
        guard !overflow, product <= max(1, tensor.storageCount) else {
          throw damaged("its shape exceeds its storage")
        }
        count = product
      }
      var packed: [Int] = []
      var distance = 1
      for size in tensor.shape.reversed() {
        packed.insert(distance, at: 0)
        distance &*= max(1, size)  // wraps only for an empty tensor, which has no rows to find
      }
      let isPacked = zip(zip(tensor.shape, tensor.strides), packed).allSatisfy { $0.0 <= 1 || $0.1 == $1 }
      return TensorView(
        type: tensor.type, shape: tensor.shape, strides: isPacked ? nil : tensor.strides,
        base: base + range.lowerBound + tensor.offset * tensor.type.size, owner: file)
    }
  }
}
