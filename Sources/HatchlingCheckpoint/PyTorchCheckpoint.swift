/// Reads what `torch.save` writes: a zip archive with a pickle that names tensors, and one entry per storage.
enum PyTorchCheckpoint {
  static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
    let archive = try ZipArchive(file)
    let folder = try folder(of: archive, file.path)
    guard let range = try archive.content(of: folder + "data.pkl") else {
      throw .unsupported(path: file.path, what: ForeignFormat.zip(names: archive.names))
    }
    if let order = try archive.content(of: folder + "byteorder"),
      !file.bytes[order].elementsEqual("little".utf8)
    {
      throw .unsupported(path: file.path, what: "its numbers are big-endian")
    }
    var unpickler = Unpickler(
      UnsafeRawBufferPointer(rebasing: file.bytes[range]), path: file.path, fileSize: file.bytes.count)
    defer { unpickler.takeApart() }
    let root = try unpickler.run()
    var collector = PickleCollector(file: file, archive: archive, folder: folder, pickleSize: range.count)
    try collector.collect(root)
    return CheckpointFile(
      path: file.path, tensors: collector.tensors, metadata: collector.metadata, opaque: collector.opaque)
  }

  /// The folder inside the archive that torch.save wrote, with its slash.
  private static func folder(of archive: ZipArchive, _ path: String) throws(CheckpointError) -> String {
    let names = archive.names
    let folders = names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }.map {
      $0.dropLast("data.pkl".count)
    }
    guard folders.count <= 1 else {
      let list = folders.sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw .unsupported(
        path: path, what: "it holds several torch archives, \(list); unpack it and pack one of them")
    }
    guard let folder = folders.first.map(String.init) else {
      throw .unsupported(path: path, what: ForeignFormat.zip(names: names))
    }
    guard !names.contains(folder + "constants.pkl") else {
      throw .unsupported(
        path: path,
        what:
          "it is a TorchScript program; load it with torch.jit.load and save its state_dict() with torch.save"
      )
    }
    return folder
  }
}

/// Flattens nested dictionaries to dotted names; texts and numbers become metadata.
///
/// The attributes of objects are read as data too. A module that was saved whole is its state dict.
struct PickleCollector {
  let file: MappedFile
  let archive: ZipArchive
  let folder: String
  private(set) var tensors: [String: TensorView] = [:]
  private(set) var metadata: [String: String] = [:]
  private(set) var opaque: [String: String] = [:]
  /// Visits so far and bytes of names and texts: a container may appear many times in a hostile file, even inside itself.
  private var (visits, spent) = (0, 0)
  private let mostVisits: Int
  /// The containers that are being walked, outermost first.
  private var path: [ObjectIdentifier] = []
  private static let deepest = 16

  init(file: MappedFile, archive: ZipArchive, folder: String, pickleSize: Int) {
    (self.file, self.archive, self.folder) = (file, archive, folder)
    mostVisits = 1_000_000 + pickleSize
  }

  /// What the pickle holds: a state dict, a dictionary around one, a list or tuple that begins with one, a module.
  mutating func collect(_ root: PickleValue) throws(CheckpointError) {
    guard case .list(let list) = root else { return try collect(root, name: "") }
    for (index, value) in list.values.enumerated() { try collect(value, name: String(index)) }
  }

  private mutating func collect(_ value: PickleValue, name: String) throws(CheckpointError) {
    try count(name, 0)
    switch value {
    case .dictionary(let dictionary): try walk(dictionary, name)
    case .object(let object):
      if !name.isEmpty { opaque[name] = object.type }
      try walk(object, name)
    case .tensor(let tensor):
      if let type = tensor.storage.type, !repeatsTooMuch(tensor) {
        tensors[name] = try view(tensor, of: type, name)
      } else {
        opaque[name] =
          tensor.storage.type == nil
          ? tensor.storage.name : "a tensor that repeats few numbers very often"
      }
    case .text(let text):
      try count(name, text.utf8.count)
      metadata[name] = text
    case .shown(let text): metadata[name] = text
    case .integer(let number): metadata[name] = String(number)
    case .number(let number): metadata[name] = String(number)
    case .bool(let truth): metadata[name] = String(truth)
    default: break
    }
  }

  private mutating func count(_ name: String, _ more: Int) throws(CheckpointError) {
    visits += 1
    spent += 64 + name.utf8.count + more
    guard visits <= mostVisits, spent <= 2 * file.bytes.count + 16 << 20 else {
      throw .damaged(path: file.path, place: "key '\(name)'", problem: "its dictionaries hold too many names")
    }
  }

  /// Keys and values. Deeper than any network lies, and inside itself, a container is not walked.
  private mutating func walk(_ container: PickleContainer, _ name: String) throws(CheckpointError) {
    guard path.count < Self.deepest, !path.contains(ObjectIdentifier(container)) else { return }
    path.append(ObjectIdentifier(container))
    defer { path.removeLast() }
    for place in stride(from: 0, to: container.values.count - 1, by: 2) {
      let (key, value) = (container.values[place], container.values[place + 1])
      if case .none = key {
        try walkAttributes(value, name)
      } else if let key = Self.key(key) {
        try collect(value, name: Self.joined(name, key))
      }
    }
  }

  /// What Python would set on an object: a dictionary, or a pair of two.
  private mutating func walkAttributes(_ state: PickleValue, _ name: String) throws(CheckpointError) {
    if case .list(let parts) = state, parts.values.count == 2 {
      for part in parts.values {
        if case .dictionary = part { try walkAttributes(part, name) }
      }
    }
    guard case .dictionary(let attributes) = state else { return }
    for place in stride(from: 0, to: attributes.values.count - 1, by: 2) {
      guard let key = Self.key(attributes.values[place]) else { continue }
      let value = attributes.values[place + 1]
      switch key {
      case "_parameters", "_buffers", "_modules":
        if case .dictionary(let members) = value { try walk(members, name) }
      case "training": break
      case _ where key.hasPrefix("_"): break
      default: try collect(value, name: Self.joined(name, key))
      }
    }
  }

  private static func joined(_ name: String, _ key: String) -> String {
    name.isEmpty ? key : "\(name).\(key)"
  }

  private static func key(_ value: PickleValue) -> String? {
    switch value {
    case .text(let text): text
    case .integer(let number): String(number)
    default: nil
    }
  }

  /// Whether a tensor with strides of 0 would take much more memory than the file.
  private func repeatsTooMuch(_ tensor: PickleTensor) -> Bool {
    let most = max(tensor.storage.count, file.bytes.count / 4, 1 << 21)
    return !tensor.shape.contains(0) && (tensor.shape.checkedProduct ?? .max) > most
  }

  /// The numbers of a tensor.
  private func view(_ tensor: PickleTensor, of type: ElementType, _ name: String) throws(CheckpointError)
    -> TensorView
  {
    func damaged(_ problem: String) -> CheckpointError {
      .damaged(path: file.path, place: "key '\(name)'", problem: problem)
    }
    let storage = tensor.storage
    guard let range = try archive.content(of: "\(folder)data/\(storage.key)") else {
      throw damaged("the entry data/\(storage.key) with its numbers is missing")
    }
    guard let needed = [storage.count, type.size].checkedProduct, needed <= range.count,
      let base = file.bytes.baseAddress
    else {
      throw damaged("its storage claims \(storage.count) numbers, the entry has \(range.count) bytes")
    }
    return TensorView(
      type: type, shape: tensor.shape, strides: tensor.strides,
      base: base + range.lowerBound + tensor.offset * type.size, owner: file)
  }
}
