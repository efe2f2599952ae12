import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Containers in every legal spelling, and files that are none.
@Suite final class ContainerTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "hatchling-container-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = folder.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url.path
  }

  // MARK: Other formats

  @Test(arguments: [
    ("<!DOCTYPE html>\n<html><head><title>404</title>", "web page"), ("\n  <html lang='en'>", "web page"),
    ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "XML"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 2499737\n", "git lfs pull"),
    ("Entry not found", "'Entry not found'"), ("Invalid \u{1B}[31mname", "neither"),
    (
      "{\"metadata\": {}, \"weight_map\": {\"encoder\": \"a-00001-of-00002.safetensors\"}}",
      "several safetensors files"
    ),
    ("{\"error\": \"Repository not found\"}", "Repository not found"), ("GGUF\u{3}\0\0\0\0\0\0\0", "GGUF"),
    ("BZh91AY&SY", "bunzip2"), ("Rar!\u{1A}\u{7}\0\0", "unrar"),
    ("\u{8}\u{7}\u{12}\u{7}pytorch\u{1A}\u{5}2.1.0:", "ONNX"),
    ("\u{1C}\0\0\0TFL3\0\0\0\0", "TensorFlow Lite"), ("%PDF-1.4 ....", "PDF"),
    ("\0\0\0\0\0\0\0\0\0\0", "damaged"),
  ])
  func filesOfOtherFormatsAreNamed(text: String, part: String) throws {
    let path = try file("model.safetensors", Array(text.utf8))
    #expect(complaint { _ = try CheckpointFile.open(path) }?.contains(part) == true)
  }

  @Test func packedAndOldFilesAreNamed() throws {
    let heads: [([UInt8], String)] = [
      ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3], "gunzip"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 4], "unxz"),
      ([0x28, 0xB5, 0x2F, 0xFD, 4, 0x58, 0, 0], "unzstd"),
      ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4], "7z x"),
      ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0], "HDF5"),
      ([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20], "before PyTorch 1.6"),
      (
        [UInt8](repeating: 0, count: 257) + Array("ustar\u{0}00".utf8) + [UInt8](repeating: 0, count: 300),
        "tar archive"
      ),
    ]
    for (bytes, part) in heads {
      let path = try file("model.pt", bytes)
      #expect(complaint { _ = try CheckpointFile.open(path) }?.contains(part) == true, "\(part)")
    }
    for (name, part) in [
      ("encoder.npy", "npz"), ("best/model.pt", "'best/model.pt'"), ("model.weights.h5", "Keras"),
      ("x.txt", "data.pkl"),
    ] {
      let path = try file("model.pt", archive([1, 2, 3], named: name))
      #expect(complaint { _ = try CheckpointFile.open(path) }?.contains(part) == true, "\(part)")
    }
  }

  @Test func foldersAreNamed() throws {
    func complaint(_ names: String...) throws -> String? {
      let inner = folder.appendingPathComponent(UUID().uuidString)
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      for name in names { try Data("x".utf8).write(to: inner.appendingPathComponent(name)) }
      return HatchlingCheckpointTests.complaint { _ = try CheckpointFile.open(inner.path) }
    }
    #expect(
      try complaint("model.safetensors.index.json", "model-1.safetensors")?.contains("join them") == true)
    #expect(try complaint("data.pkl", "version")?.contains("zip -0 -r") == true)
    #expect(try complaint("model.safetensors")?.contains("/model.safetensors'") == true)
    #expect(try complaint()?.hasSuffix("it is a directory") == true)
  }

  // MARK: safetensors

  /// The network of seed 3 with another header entry and more bytes behind its own; `change` may rewrite the header.
  private func network(adding entry: String = "", bytes: Int = 0, change: (String) -> String = { $0 }) throws
    -> String
  {
    let sizes = Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 5)
    let whole = folder.appendingPathComponent("whole.safetensors").path
    try Weights.random(sizes, seed: 3).save(to: whole)
    let old = [UInt8](try Data(contentsOf: URL(fileURLWithPath: whole)))
    let length = Int(old.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    var header = String(decoding: old[8..<8 + length], as: UTF8.self).trimmingCharacters(in: .whitespaces)
    let data = old[(8 + length)...]
    if !entry.isEmpty {
      let end = entry.replacingOccurrences(of: "AT", with: "\(data.count)")
        .replacingOccurrences(of: "END", with: "\(data.count + bytes)")
      header = String(header.dropLast()) + "," + end + "}"
    }
    header = change(header)
    let count = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return try file(
      "model.safetensors", count + Array(header.utf8) + data + [UInt8](repeating: 1, count: bytes))
  }

  @Test(arguments: [
    ("F8_E4M3", 4, 4), ("F8_E5M2", 4, 4), ("F8_E8M0", 4, 4), ("F4", 4, 2), ("F6_E2M3", 4, 3), ("C64", 4, 32),
    ("X99", 4, 7),
  ])
  func typesThatAreNotNeededAreLeftAlone(type: String, count: Int, bytes: Int) throws {
    let fingerprint = try Model.load(path: try network()).fingerprint
    let entry = "\"extra.scale\":{\"dtype\":\"\(type)\",\"shape\":[\(count)],\"data_offsets\":[AT,END]}"
    let path = try network(adding: entry, bytes: bytes)
    #expect(try Model.load(path: path).fingerprint == fingerprint)
    #expect(try CheckpointFile.open(path).opaque == ["extra.scale": type])
    let needed = entry.replacingOccurrences(of: "extra.scale", with: "attn.damping")
    let wrong = try network(adding: needed, bytes: bytes)
    #expect(throws: ModelError.wrongType(path: wrong, key: "attn.damping", type: type)) {
      try Model.load(path: wrong)
    }
    if type != "X99" {
      let short = try network(adding: entry, bytes: bytes - 1)
      #expect(complaint { _ = try Model.load(path: short) }?.contains("'extra.scale'") == true)
    }
  }

  @Test(arguments: [
    ("2", 2), ("2.0", 2), (" 2 ", 2), ("2e0", 2), ("two", nil), ("2.5", nil), ("0", nil), ("nan", nil),
    ("1e99", nil),
  ])
  func theNumberOfLayersIsReadInEverySpelling(text: String, layers: Int?) throws {
    let path = try network {
      $0.replacingOccurrences(of: "\"n_layer\":\"2\"", with: "\"n_layer\":\"\(text)\"")
    }
    if let layers {
      let model = try Model.load(path: path)
      #expect(model.hyperparameters.layers == layers && model.warnings.isEmpty)
    } else {
      #expect(complaint { _ = try Model.load(path: path) }?.contains("'\(text)'") == true)
    }
    let chosen = try Model.load(path: path, layers: 5)
    #expect(chosen.hyperparameters.layers == 5 && chosen.warnings.count == 1)
  }

  @Test func anUnknownRuleIsAnErrorThatAnOptionOverrules() throws {
    let path = try network {
      $0.replacingOccurrences(of: "\"variant\":\"released\"", with: "\"variant\":\"fp16\"")
    }
    #expect(
      complaint { _ = try Model.load(path: path) }?.contains("one of released, definition4, normfree") == true
    )
    let model = try Model.load(path: path, variant: .definition4)
    #expect(model.hyperparameters.variant == .definition4 && model.warnings.count == 1)
  }

  // MARK: Arrays

  @Test(arguments: [
    "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
    "{\"descr\": \"<i8\", \"fortran_order\": False, \"shape\": (3,)}",
    "{'descr': '<i8', 'fortran_order': True, 'shape': (3,), }",
    "{'shape':(3,),'fortran_order':False,'descr':'<i8'}",
    "{ 'shape' : ( 3 , ) , 'descr' : 'i8' , 'fortran_order' : False }\n",
    "{u'descr': '=i8', 'fortran_order': False, 'shape': (3L,)}",
    "{'descr': '<i8',\n 'fortran_order': False,\n 'shape': (3,)}   \n",
  ])
  func everySpellingOfAnArrayIsRead(header: String) throws {
    let numbers = (0..<3).flatMap { number in
      withUnsafeBytes(of: Int64(number * 100).littleEndian) { Array($0) }
    }
    for version in UInt8(1)...3 {
      let length = UInt32(header.utf8.count)
      let size = withUnsafeBytes(of: length.littleEndian) { Array($0.prefix(version == 1 ? 2 : 4)) }
      let path = try file(
        "a.npy", [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + numbers)
      #expect(try NumpyArray.read(path).tokens(path: path) == [0, 100, 200], "version \(version)")
    }
  }

  @Test(arguments: [
    "{'descr': '>i8', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<U2', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<i8', 'fortran_order': False}",
    "{'descr': '<i8', 'shape': (3,)}", "{'descr': '<i8', 'fortran_order': False, 'shape': (3,)", "'descr'",
    "", "{{}}",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (-3,)}",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (3 4)}",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
    "{'descr': '<i8', 'fortran_order': 1, 'shape': (3,)}",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (3,)} + f()",
    "{'descr': '<<i8', 'fortran_order': False, 'shape': (3,)}",
  ])
  func otherArraysAreRefused(header: String) throws {
    let size: [UInt8] = [UInt8(header.utf8.count), 0]
    let path = try file(
      "a.npy",
      [0x93] + Array("NUMPY".utf8) + [1, 0] + size + Array(header.utf8) + [UInt8](repeating: 0, count: 24))
    #expect(complaint { _ = try NumpyArray.read(path) }?.contains(path) == true)
  }

  // MARK: What is shown

  @Test func nothingFromAFileReachesATerminalUnescaped() throws {
    var checked = 0
    for value in UInt32(0)...0x2_0000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let shown = String(Character(scalar)).escaped
      let isSafe = shown.unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
      }
      #expect(isSafe, "U+\(String(value, radix: 16))")
      checked += 1
    }
    #expect(checked > 100_000)
    #expect(
      "\u{1B}[31mred\u{7}\r\n\tü漢🙂 \\n\u{9B}\u{202E}".escaped
        == "\\u{1B}[31mred\\u{7}\\r\\n\\tü漢🙂 \\n\\u{9B}\\u{202E}")
    let name = "evil\\u001b[2J\\nkey"
    let path = try network(
      adding: "\"\(name)\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[AT,END]}", bytes: 3)
    let text = try #require(complaint { _ = try Model.load(path: path) })
    #expect(text.contains("'evil\\u{1B}[2J\\nkey'") && text == text.escaped)
    let layers = try network {
      $0.replacingOccurrences(of: "\"n_layer\":\"2\"", with: "\"n_layer\":\"\\u001b[2J\"")
    }
    #expect(
      try Model.load(path: layers, layers: 2).warnings.allSatisfy {
        $0.contains("\\u{1B}[2J") && $0 == $0.escaped
      })
  }
}
