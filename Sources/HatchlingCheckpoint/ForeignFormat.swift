import Foundation

/// Files that people take for a checkpoint, known by their first bytes, and what to do with each.
enum ForeignFormat {
  /// What a file is that is neither safetensors nor a zip archive, with advice; nil where nobody knows.
  static func name(_ bytes: UnsafeRawBufferPointer) -> String? {
    for (magic, what) in magics where bytes.starts(with: magic) { return what }
    if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
      return "it is a tar archive; unpack it, or, if torch.save wrote it before version 0.1.10, \(saveAgain)"
    }
    if bytes.count > 8, bytes[4..<8].elementsEqual("TFL3".utf8) { return foreignModel("TensorFlow Lite") }
    // ONNX is a protobuf message: field 1 is its version, and a field of text or another number follows.
    if bytes.count > 16, bytes[0] == 0x08, (1...30).contains(bytes[1]),
      [0x10, 0x12, 0x28, 0x3A].contains(bytes[2])
    {
      return foreignModel("ONNX")
    }
    if bytes.count > 1, bytes[0] == 0x80, (1...5).contains(bytes[1]) {
      return "it is a bare pickle, as torch.save wrote it before PyTorch 1.6; \(saveAgain)"
    }
    return text(bytes)
  }

  private static let saveAgain =
    "load it with torch.load(…, weights_only=True) and write it anew with a current torch.save"

  private static func foreignModel(_ name: String) -> String {
    "it is a model in \(name) format; convert it to safetensors, or save the state_dict() it was made from"
  }

  private static func packed(_ name: String, _ program: String) -> String {
    "it is packed with \(name); unpack it first with '\(program)'"
  }

  private static let magics: [([UInt8], String)] = [
    ([0x1F, 0x8B], packed("gzip", "gunzip")), (Array("BZh".utf8), packed("bzip2", "bunzip2")),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], packed("xz", "unxz")),
    ([0x28, 0xB5, 0x2F, 0xFD], packed("zstd", "unzstd")),
    ([0x04, 0x22, 0x4D, 0x18], packed("lz4", "unlz4")),
    ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], packed("7-Zip", "7z x")),
    (Array("Rar!".utf8), packed("RAR", "unrar x")),
    (Array("GGUF".utf8), foreignModel("GGUF")), (Array("tjgg".utf8), foreignModel("GGML")),
    (Array("lmgg".utf8), foreignModel("GGML")), (Array("fmgg".utf8), foreignModel("GGML")),
    ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], foreignModel("HDF5 (Keras)")),
    ([0x93] + Array("NUMPY".utf8), "it is one NumPy array, not a network; save all tensors as safetensors"),
    (
      Array("version https://git-lfs.github.com/spec/".utf8),
      "it is a Git LFS pointer, not the file itself; run 'git lfs pull' where it was cloned"
    ),
    (Array("%PDF".utf8), "it is a PDF document"), (Array("\u{7F}ELF".utf8), "it is a program"),
  ]

  /// Pages, error messages and other text that a download left in the place of the file.
  private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    let start = bytes.prefix(4096).drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
    guard !start.contains(where: { $0 < 0x20 && ![0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
    let text = String(decoding: start, as: UTF8.self)
    let lower = text.prefix(64).lowercased()
    if ["<!doctype html", "<html", "<head", "<!--"].contains(where: lower.hasPrefix) {
      return "it is a web page (HTML); download the raw file, not the page that shows it"
    }
    if lower.hasPrefix("<") {
      return "it is an XML document, perhaps a server's answer; download the file again"
    }
    if text.hasPrefix("{"), text.contains("\"weight_map\"") { return shards }
    // A character that begins inside the 4096 bytes may end outside.
    guard text.unicodeScalars.count(where: { $0 == "\u{FFFD}" }) < 2,
      let line = text.split(separator: "\n").first
    else { return nil }
    return "it is a text that begins '\(line.prefix(60))'; download the file itself"
  }

  private static let shards =
    "it is the index of a model in several safetensors files; join them: load each with safetensors.torch.load_file and write all tensors with one save_file"

  /// What a zip archive without `data.pkl` is.
  static func zip(names: some Collection<String>) -> String {
    func has(_ ending: String) -> Bool { names.contains { $0.hasSuffix(ending) } }
    if !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".npy") }) {
      return "it is a NumPy .npz archive; save its arrays as safetensors, with safetensors.numpy.save_file"
    }
    if has(".weights.h5") { return foreignModel("Keras") }
    if has("archive_format") || has("serialized_exported_program.json") {
      return "it is an exported program (torch.export); save the state_dict() of its model"
    }
    if let inner = names.filter({ name in
      [".safetensors", ".pt", ".pth", ".bin"].contains(where: name.hasSuffix)
    }).min() {
      return "it is a zip archive around '\(inner)'; unpack it and name the file inside"
    }
    return "this zip archive holds no data.pkl; it was not made by torch.save"
  }

  /// Why a folder is no checkpoint, and which file to name; nil for a path that is no folder.
  static func folder(_ path: String) -> String? {
    guard let names = Folder.names(in: path) else { return nil }
    if names.contains(where: { $0.hasSuffix(".index.json") }) {
      return shards.replacingOccurrences(of: "it is the index of", with: "it is a folder with")
    }
    if names.contains("data.pkl") {
      return "it is an unpacked torch archive; pack it without compression: 'zip -0 -r model.pt \(path)'"
    }
    let models = names.filter { name in [".safetensors", ".pt", ".pth"].contains(where: name.hasSuffix) }
      .sorted()
    guard let first = models.first else { return "it is a directory" }
    return
      "it is a directory; name a file inside, such as '\(path.hasSuffix("/") ? path : path + "/")\(first)'"
  }
}
