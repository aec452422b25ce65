package cohort

// The tables are part of a cohort's bytes: changing one changes what a seed means.

//nolint:gochecknoglobals // A table.
var subjects = [...]string{
	"biology", "chemistry", "physics", "mathematics", "statistics", "history",
	"geography", "economics", "philosophy", "literature", "french", "latin",
	"music-theory", "art-history", "law", "anatomy", "pharmacology", "astronomy",
	"geology", "informatics", "logic", "nursing", "nutrition", "psychology",
}

//nolint:gochecknoglobals // A table.
var firstNames = [...]string{
	"Ada", "Aiko", "Alba", "Amara", "Anh", "Anton", "Asha", "Beatriz", "Ben",
	"Björn", "Carla", "Chen", "Chloé", "Clara", "Dana", "David", "Deniz", "Edith",
	"Elif", "Emil", "Emma", "Esther", "Farid", "Fatima", "Felix", "Finn", "Grace",
	"Hana", "Hugo", "Ida", "Ines", "Ivan", "Jack", "Jane", "Jonas", "José", "Julia",
	"Kai", "Kofi", "Lara", "Leila", "Liam", "Lin", "Lucas", "Maja", "Marco", "Maria",
	"Mei", "Mia", "Milan", "Nadia", "Nils", "Noah", "Nora", "Olga", "Omar", "Oscar",
	"Paula", "Priya", "Rafael", "Rosa", "Ruth", "Sam", "Sara", "Sofia", "Tariq",
	"Tess", "Theo", "Tomas", "Uma", "Vera", "Victor", "Wanda", "Yara", "Yusuf", "Zoë",
}

//nolint:gochecknoglobals // A table.
var lastNames = [...]string{
	"Abbott", "Adeyemi", "Aguilar", "Ahmed", "Andersen", "Austen", "Bakker",
	"Banerjee", "Baumann", "Bianchi", "Brown", "Campbell", "Castillo", "Chan", "Cohen",
	"Costa", "Dahl", "Davies", "Demir", "Diallo", "Dubois", "Eriksen", "Evans",
	"Ferrari", "Fischer", "Fraser", "García", "Gupta", "Hansen", "Haddad", "Hill",
	"Horvat", "Hughes", "Ibrahim", "Ito", "Ivanova", "Jansen", "Jones", "Kaya", "Keller",
	"Khan", "Kim", "Kowalski", "Kumar", "Laurent", "Lee", "Lindqvist", "Lopez",
	"MacDonald", "Martin", "Mensah", "Meyer", "Moreau", "Müller", "Murphy", "Nguyen",
	"Novak", "O'Brien", "Okafor", "Olsen", "Park", "Patel", "Pereira", "Petrov",
	"Popescu", "Ramos", "Rossi", "Santos", "Sato", "Schmidt", "Silva", "Singh",
	"Smith", "Svensson", "Tanaka", "Taylor", "Thompson", "Torres", "Tran", "van Dijk",
	"Varga", "Weber", "Williams", "Wilson", "Wright", "Yilmaz", "Young", "Zhang",
}
