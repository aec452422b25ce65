package mutants_test

// vault are the mutants of the vault: what is durable, whole and found when damaged.
func vault() []mutant {
	return append(durability(), damage()...)
}

func durability() []mutant {
	return []mutant{
		{
			name: "an append is not synced",
			file: "wal/append.go",
			old:  `batch.Commit(pebble.Sync)`,
			new:  `batch.Commit(pebble.NoSync)`,
			test: "TestCrash/unsynced=0",
		},
		{
			name: "a group is visible before it is durable",
			file: "wal/append.go",
			old:  `err = v.commit(g.batch)`,
			new:  `v.publish(&g.meta); err = v.commit(g.batch)`,
			test: "TestNotVisibleBeforeDurable",
		},
		{
			name: "readers see what Pebble sees",
			file: "wal/read.go",
			old:  `if end := v.Last() + 1; before == 0 || before > end {`,
			new:  `if end := entry.PositionMax; before == 0 || before > end {`,
			test: "TestNotVisibleBeforeDurable",
		},
		{
			name: "after a failed append the vault takes more",
			file: "wal/append.go",
			old:  `v.fail(err)`,
			new:  ``,
			test: "TestIndexDamaged",
		},
		{
			name: "a new manifest's directory is not synced before its marker",
			file: "wal/store_fs.go",
			old:  `if err := errors.Join(dir.Sync(), dir.Close()); err != nil {`,
			new:  `if err := errors.Join(dir.Close()); err != nil {`,
			test: "TestNamesAreOnDiskInOrder",
		},
		{
			name: "a failed sync of the log is passed over",
			file: "wal/store_fs.go",
			old:  `f.fs.must("sync", f.File.SyncData())`,
			new:  `_ = f.File.SyncData()`,
			test: "TestFatalEndsTheProcess",
		},
		{
			name: "FORMAT's directory is not synced",
			file: "wal/directory.go",
			old:  `return d.sync(d.path)`,
			new:  `return nil`,
			test: "TestCrash/unsynced=0",
		},
		{
			name: "a checkpoint's rename is not synced",
			file: "wal/checkpoint.go",
			old:  `return d.sync(d.path)`,
			new:  `return nil`,
			test: "TestCheckpointCrash",
		},
		{
			name: "a checkpoint is renamed before it is synced",
			file: "wal/checkpoint.go",
			old:  "err = f.Sync()\n\t}\n\tif err := errors.Join(err, f.Close()); err != nil {",
			new:  "err = plain.Close()\n\t}\n\tif err != nil {",
			test: "TestCheckpointCrash",
		},
		{
			name: "the quota drops entries and leaves the watermark",
			file: "wal/drop.go",
			old:  `g.meta.droppedThrough = r.at`,
			new:  ``,
			test: "TestQuota",
		},
		{
			name: "the floor of free space is not kept",
			file: "wal/vault.go",
			old:  `return v.disk.check(v.opts.FreeBytesMin)`,
			new:  `return nil`,
			test: "TestDiskFloor",
		},
		{
			name: "two processes may open one vault",
			file: "wal/open.go",
			old:  `v.lock, err = v.directory.lock(v.opts.Now()); err != nil`,
			new:  `v.lock, err = v.directory.lock(v.opts.Now()); err != nil && v.opts.ReadOnly`,
			test: "TestLockedByProcess",
		},
	}
}

func damage() []mutant {
	return []mutant{
		{
			name: "the checksum of headers is not looked at",
			file: "wal/entry/header.go",
			old:  `if checksum(at, body) != sum {`,
			new:  `if checksum(at, body) != sum && at == 0 {`,
			test: "TestHeaderBitFlips", some: true,
		},
		{
			name: "the checksum of bodies is not looked at",
			file: "wal/entry/body.go",
			old:  `!= checksum(at, body) {`,
			new:  `!= checksum(at, body) && at == 0 {`,
			test: "TestBodyStored",
		},
		{
			name: "checksums do not cover the position",
			file: "wal/entry/body.go",
			old:  `crc32.Update(crc32.Checksum(position[:], castagnoli()), castagnoli(), b)`,
			new:  `crc32.Checksum(b, castagnoli())`,
			test: "TestBodyStored",
		},
		{
			name: "the digest of documents is not looked at",
			file: "wal/entry/codec.go",
			old:  `if digest(dst) != e.Digest {`,
			new:  `if digest(dst) != e.Digest && len(dst) != int(e.Size) {`,
			test: "TestRawOfAnother", some: true,
		},
		{
			name: "the digest of delta streams is not looked at",
			file: "wal/entry/codec.go",
			old:  `if b.streams.Identity(size) != e.Digest {`,
			new:  `if b.streams.Cap() == 0 {`,
			test: "TestRawOfAnother",
		},
		{
			name: "the checksum of records is not looked at",
			file: "wal/record.go",
			old:  `!= crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)) {`,
			new:  `!= crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)) && len(content) == 0 {`,
			test: "TestRecordBitFlips",
		},
		{
			name: "replay skips an entry whose header is damaged",
			file: "wal/replay.go",
			old:  "h, err := entry.DecodeHeader(at, stored)\n\tif err != nil {\n\t\treturn nil, err",
			new:  "h, err := entry.DecodeHeader(at, stored)\n\tif err != nil {\n\t\tr.walk.skip(at)\n\t\treturn nil, nil",
			test: "TestReplayDamaged",
		},
		{
			name: "replay skips an entry whose body is damaged",
			file: "wal/replay.go",
			old:  "body, err := seekBody(bodies, at)\n\tif err != nil {\n\t\treturn nil, err",
			new:  "body, err := seekBody(bodies, at)\n\tif err != nil {\n\t\treturn nil, nil",
			test: "TestReplayDamaged",
		},
		{
			name: "the chain is not looked at",
			file: "wal/succession.go",
			old:  `case !follows:`,
			new:  `case !follows && h.Position == 0:`,
			test: "TestVerifyFinds",
		},
		{
			name: "the ordinal is not looked at",
			file: "wal/succession.go",
			old:  `case h.Ordinal != ordinal:`,
			new:  `case h.Ordinal != ordinal && h.Position == 0:`,
			test: "TestVerifyRefused",
		},
		{
			name: "a missing entry is no damage",
			file: "wal/succession.go",
			old:  `; h.Position > gap {`,
			new:  `; h.Position > gap && false {`,
			test: "TestVerifyRefused",
		},
		{
			name: "a missing newest entry is no damage",
			file: "wal/open.go",
			old:  `return link.end(m)`,
			new:  `return nil`,
			test: "TestOpenDamaged",
		},
		{
			name: "a checkpoint of another log is taken",
			file: "wal/checkpoint.go",
			old:  `err == nil && string(want) != string(head)`,
			new:  `err == nil && len(want) != len(head)`,
			test: "TestCheckpointOfAnotherLog",
		},
		{
			name: "blocks of a checkpoint may change places",
			file: "wal/checkpoint.go",
			old:  `binary.BigEndian.PutUint64(n[:], number)`,
			new:  `binary.BigEndian.PutUint64(n[:], number*0)`,
			test: "TestCheckpointBlocksExchanged",
		},
		{
			name: "damage before the end of the log is taken for its end",
			file: "wal/open.go",
			old:  `err = v.directory.checkLog(name)`,
			new:  `err = nil`,
			test: "TestLogDamagedBeforeItsEnd",
		},
		{
			name: "a document that is there is taken again",
			file: "wal/group.go",
			old:  `case first.Digest == h.Digest:`,
			new:  `case first.Digest == h.Digest && h.Position == 0:`,
			test: "TestDigestsThatBeginAlike",
		},
		{
			name: "documents are the same when their digests begin alike",
			file: "wal/group.go",
			old:  `case first.Digest == h.Digest:`,
			new:  `case digestPrefix(first.Digest[:]) == prefix:`,
			test: "TestDigestsThatBeginAlike",
		},
	}
}
