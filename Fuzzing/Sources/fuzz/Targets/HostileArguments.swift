import ArgumentParser
import Foundation
import HatchlingCheckpoint

#if !FUZZING
  @testable import hatchling
#endif

/// Lists of arguments, divided by zeros: parsed, not run.
enum HostileArguments {
  static func parse(_ input: [UInt8]) throws {
    let arguments = input.split(separator: 0, omittingEmptySubsequences: false).map { String(anyBytes: $0) }
    do { _ = try Hatchling.parseAsRoot(Arguments.prepared(arguments)) } catch {
      // What is printed, found once, since it takes as long as parsing: help as it is, or a reason and how the command is used.
      let message = Hatchling.fullMessage(for: error)
      let isWithoutReason = ["Help:", "Usage:", "Error: \n"].contains { message.hasPrefix($0) }
      try mustHold(!message.isEmpty && !isWithoutReason, "refused without a reason: \(arguments)")
      try mustHold(
        !message.contains("Error(") && !message.contains("ParserError"), "an internal name: \(message)")
    }
  }

  static var seeds: [[UInt8]] {
    [
      "info --model m.pt --layers 3 --variant definition4 --prefix ema --json --rounds",
      "step --text hello --engine tensor --precision double --threads 2 --logits l.npy --state-out s",
      "step a.txt - b.npy --form direct --edges 100 --hubs 3 --state-in s --only-after <T: --quiet --json",
      "generate --prompt ROMEO: --count 10 --seed 1 --temperature 0.5 --top-k 4 --weights int8",
      "verify a.txt --form direct --tolerance 1e-6 --nudge x:3:4:1.5", "compile --out g --form circuit",
      "degrees --graph direct --edges 5000 --out folder --topology --export graphml", "degrees --graph gx",
      "merge a b --out c", "fidelity a.txt --edges 10,20 --hubs 1 --out f.csv",
      "train a.txt b.txt --out o --n 64 --d 8 --heads 2 --layers 2 --steps 10 --batch 2 --block 32",
      "train a --out o --resume c --minutes 3 --log l.csv --log-topology t.csv --validation 0.1",
      "translate-corpus a.en a.fr --out c.txt --seed 2", "help train", "--version", "train --help", "",
      "--generate-completion-script bash", "step --layers=-1 --threads=0 --precision=half -- --text",
    ].map { Array($0.utf8).map { $0 == UInt8(ascii: " ") ? 0 : $0 } }
  }
}
